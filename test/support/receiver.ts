import http from "node:http";
import type { AddressInfo } from "node:net";

export type ReceivedWebhook = { readonly headers: Record<string, string>; readonly body: string };

/** A customer's endpoint that answers with `status()` and keeps what it got. */
export async function receiver(
	status: () => number,
): Promise<AsyncDisposable & { url: string; deliveries: ReceivedWebhook[] }> {
	const deliveries: ReceivedWebhook[] = [];
	const server = http.createServer(async (request, response) => {
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk as Buffer);
		deliveries.push({ headers: request.headers as Record<string, string>, body: Buffer.concat(chunks).toString() });
		response.writeHead(status()).end();
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
		deliveries,
		[Symbol.asyncDispose]: async () => {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}
