/** What went wrong with a request, as the functions say it (RFC 9457). */
export class ApiProblem extends Error {
	override name = "ApiProblem";
	/** Of HTTP; 0 when there was no answer. */
	readonly status: number;
	readonly code: string;
	/** The faults of an input, each with its place, such as `body.maxReaders`. */
	readonly errors: readonly { readonly path: string; readonly message: string }[];

	constructor(status: number, code: string, message: string, errors: ApiProblem["errors"] = []) {
		super(message);
		this.status = status;
		this.code = code;
		this.errors = errors;
	}
}

/** Reads the problem of an answer that is not `ok`. Never throws. */
export async function problemFrom(response: Response): Promise<ApiProblem> {
	const body: unknown = await response.json().catch(() => null);
	const { detail, title, code, issues } = isObject(body) ? body : {};
	const message = [detail, title].find((text) => typeof text === "string") ?? `The server answered ${response.status}`;
	return new ApiProblem(
		response.status,
		typeof code === "string" ? code : "http",
		message,
		Array.isArray(issues) ? issues.filter(isIssue) : [],
	);
}

/** The problem of a request that got no answer at all. */
export function unreachable(): ApiProblem {
	return new ApiProblem(0, "network", "The server cannot be reached. Check the connection; this page tries again.");
}

/** Anything that was thrown, as a problem. */
export function asProblem(error: unknown): ApiProblem {
	if (error instanceof ApiProblem) return error;
	return new ApiProblem(0, "internal", error instanceof Error ? error.message : "Something went wrong in this page");
}

function isObject(value: unknown): value is Record<"detail" | "title" | "code" | "issues", unknown> {
	return typeof value === "object" && value !== null;
}

function isIssue(value: unknown): value is { path: string; message: string } {
	return (
		typeof value === "object" &&
		value !== null &&
		"path" in value &&
		"message" in value &&
		typeof value.path === "string" &&
		typeof value.message === "string"
	);
}
