import type { ConsoleFiles } from "./console-files.ts";

/** The binding of Cloudflare to the static files that were deployed with the Worker. */
export type Assets = { fetch(request: Request): Promise<Response> };

/** The console out of the static assets: they are no part of the Worker, and Cloudflare compresses them. */
export function consoleAssets(assets: Assets): ConsoleFiles {
	return {
		async get(name) {
			// Only the path counts.
			const response = await assets.fetch(new Request(new URL(name, "https://assets.invalid/")));
			if (!response.ok || response.body === null) {
				await response.body?.cancel();
				return null;
			}
			return {
				body: response.body as ReadableStream<Uint8Array<ArrayBuffer>>,
				contentType: response.headers.get("content-type") ?? "application/octet-stream",
			};
		},
	};
}
