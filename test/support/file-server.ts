/** Serves a folder on loopback. Usage: node file-server.ts <folder> <port> */

import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";

const [folder = ".", port = "0"] = process.argv.slice(2);

createServer((request, response) => {
	const name = path.basename(new URL(request.url ?? "/", "http://localhost").pathname);
	if (name === "ready") {
		response.end("yes");
		return;
	}
	createReadStream(path.join(folder, name))
		.once("error", () => response.writeHead(404).end())
		.pipe(response);
}).listen(Number(port), "127.0.0.1");
