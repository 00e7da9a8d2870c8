const WORDS: Readonly<Record<string, string>> = {
	createKey: "made an API key",
	patchKey: "changed an API key",
	deleteKey: "deleted an API key",
	joinNode: "let a node join",
	drainNode: "drained a node",
	undrainNode: "stopped draining a node",
	deleteNode: "forgot a node",
	putPath: "set the configuration of a path",
	patchPath: "changed the configuration of a path",
	deletePath: "took the configuration of a path back",
	rollbackPath: "rolled the configuration of a path back",
	revokeTokens: "revoked tokens",
	deleteRevocation: "took a revocation back",
	rotateSigningKey: "made a new signing key",
	removeSigningKey: "removed a signing key",
	createToken: "made a token",
	createStreamKey: "made a stream key",
	createWebhook: "added a webhook endpoint",
	patchWebhook: "changed a webhook endpoint",
	deleteWebhook: "deleted a webhook endpoint",
	rotateWebhookSecret: "rotated the secret of a webhook endpoint",
	testWebhook: "sent a test to a webhook endpoint",
	replayDelivery: "replayed a delivery",
	replayDeadDeliveries: "replayed what was given up for an endpoint",
};

/** What was done, for people; an operation that is not known here as it is called. */
export function actionWords(operationId: string): string {
	return Object.hasOwn(WORDS, operationId) ? (WORDS[operationId] ?? operationId) : operationId;
}
