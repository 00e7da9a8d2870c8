// CloudFront Function, viewer request: tells the origin which host the client asked for. Requests to a function URL must
// name the function's own host, so this one goes in a header of its own; what a client sent there is replaced.
// biome-ignore lint/correctness/noUnusedVariables: CloudFront calls it by its name
function handler(event) {
	var request = event.request;
	request.headers["x-forwarded-host"] = { value: request.headers.host.value };
	return request;
}
