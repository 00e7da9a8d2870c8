import { problemFrom, unreachable } from "./problem.ts";

/** The functions, by their addresses. Everything throws `ApiProblem`, or the reason of an abort. */
export type Api = {
	/** With an etag memory: a 304 gives the very same object again. */
	get<T>(address: string, signal?: AbortSignal): Promise<T>;
	/** As get, with the etag for If-Match. */
	read<T>(address: string, signal?: AbortSignal): Promise<{ body: T; etag: string | null }>;
	send<T = void>(
		method: "POST" | "PUT" | "PATCH" | "DELETE",
		address: string,
		body?: unknown,
		headers?: Record<string, string>,
	): Promise<{ body: T; etag: string | null }>;
};

type Answer = { readonly body: unknown; readonly etag: string | null; readonly text: string };

/** How many answers are remembered for their etags; the oldest is forgotten. */
const MAX_REMEMBERED = 200;
const TIMEOUT_MS = 30_000;

/** `onUnauthorized`: the key is not, or no longer, one that is let in. */
export function createApi(origin: string, key: () => string | null, onUnauthorized: () => void): Api {
	const remembered = new Map<string, Answer>();

	async function ask(method: string, address: string, init: RequestInit): Promise<Response> {
		const headers = new Headers(init.headers);
		const sent = key();
		if (sent !== null) headers.set("authorization", `Bearer ${sent}`);
		const timeout = AbortSignal.timeout(TIMEOUT_MS);
		const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
		const response = await fetch(origin + address, { ...init, method, headers, signal, cache: "no-store" }).catch(
			() => {
				if (init.signal?.aborted) throw init.signal.reason;
				throw unreachable();
			},
		);
		if (response.ok || response.status === 304) return response;
		// A key that was replaced in the meantime says nothing of the new one.
		if (response.status === 401 && key() === sent) onUnauthorized();
		throw await problemFrom(response);
	}

	async function read<T>(address: string, signal?: AbortSignal): Promise<{ body: T; etag: string | null }> {
		const known = remembered.get(address);
		const headers = known?.etag ? { "if-none-match": known.etag } : undefined;
		const response = await ask("GET", address, { ...(headers ? { headers } : {}), signal: signal ?? null });
		if (response.status === 304 && known !== undefined) return known as { body: T; etag: string | null };
		const text = await response.text().catch(() => {
			throw unreachable();
		});
		const etag = response.headers.get("etag");
		// The same text is the same object: what is drawn of it need not be drawn again.
		const body: unknown = known?.text === text ? known.body : parse(text);
		const answer = { body, etag, text };
		remembered.delete(address);
		remembered.set(address, answer);
		const oldest = remembered.keys().next();
		if (remembered.size > MAX_REMEMBERED && !oldest.done) remembered.delete(oldest.value);
		return answer as { body: T; etag: string | null };
	}

	return {
		read,
		async get<T>(address: string, signal?: AbortSignal) {
			return (await read<T>(address, signal)).body;
		},
		async send<T>(
			method: string,
			address: string,
			body?: unknown,
			headers: Record<string, string> = {},
		): Promise<{ body: T; etag: string | null }> {
			const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
			const response = await ask(method, address, {
				headers: { ...(body === undefined ? {} : { "content-type": type }), ...headers },
				body: body === undefined ? null : JSON.stringify(body),
			});
			const text = await response.text();
			return { body: parse(text) as T, etag: response.headers.get("etag") };
		},
	};
}

function parse(text: string): unknown {
	return text === "" ? undefined : JSON.parse(text);
}

/** `/v1/paths/${segment(name)}`: percent-encoded, slashes too. */
export function segment(name: string): string {
	return encodeURIComponent(name);
}
