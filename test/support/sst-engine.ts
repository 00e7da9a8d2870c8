/**
 * The part of the `sst` program that its components call over HTTP while sst.config.ts runs: data of an account, and the
 * builder of functions, which really builds them.
 */

import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";

/** What is used of esbuild. */
export type Esbuild = { build(options: Record<string, unknown>): Promise<unknown> };

type Build = { readonly functionID?: string; readonly runtime: string; readonly handler: string };

const ACCOUNT = {
	asset: "sst-asset-test",
	assetEcrRegistryId: "123456789012",
	assetEcrUrl: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sst-asset",
	state: "sst-state-test",
	appsyncHttp: "",
	appsyncRealtime: "",
};

export class SstEngine implements AsyncDisposable {
	readonly #server: Server;

	private constructor(server: Server) {
		this.#server = server;
	}

	/** `artifacts`: where built functions go. Keeps no process running that nobody asks it anything in. */
	static async start(root: string, artifacts: string, esbuild: Esbuild): Promise<SstEngine> {
		const server = createServer(async (request, response) => {
			let text = "";
			for await (const chunk of request) text += String(chunk);
			const { method, params } = JSON.parse(text) as { method: string; params: [Build] };
			const answer = await answerTo(method, params[0], root, artifacts, esbuild);
			response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
		});
		server.on("connection", (socket) => socket.unref());
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		server.unref();
		return new SstEngine(server);
	}

	get url(): string {
		return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#server.closeAllConnections();
		await new Promise((resolve) => this.#server.close(resolve));
	}
}

async function answerTo(method: string, build: Build, root: string, artifacts: string, esbuild: Esbuild) {
	switch (method) {
		case "Provider.Aws.Bootstrap":
			return { result: ACCOUNT };
		case "Runtime.Build":
			return { result: await built(build, root, artifacts, esbuild) };
		case "Runtime.AddTarget":
		case "Provider.Aws.Appsync":
			return { result: {} };
		default:
			return { error: `rpc: can't find ${method}` };
	}
}

async function built({ functionID, runtime, handler }: Build, root: string, artifacts: string, esbuild: Esbuild) {
	const isWorker = runtime === "worker";
	const source = isWorker ? handler : handler.replace(/\.[^./]+$/, ".ts");
	const out = path.join(artifacts, functionID ?? "function");
	if (!existsSync(path.join(root, source))) return { handler: "", out, errors: [`There is no ${source}`] };
	await mkdir(out, { recursive: true });
	const outfile = path.join(out, isWorker ? "worker.js" : source.replace(/\.ts$/, ".mjs"));
	try {
		await esbuild.build({
			entryPoints: [path.join(root, source)],
			bundle: true,
			format: "esm",
			platform: isWorker ? "browser" : "node",
			target: "es2022",
			outfile,
			logLevel: "silent",
			external: ["cloudflare:*", "node:*"],
		});
	} catch (error) {
		return { handler: "", out, errors: [String(error)] };
	}
	return { handler: isWorker ? "worker.js" : handler, out, errors: [], sourcemaps: [] };
}
