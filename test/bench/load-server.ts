/** The server of the load bench: the functions by their Node.js entry, over a bucket in memory that has a live stream. */

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { pino } from "pino";
import { systemClock } from "#shared/clock.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { FunctionsServer } from "../../functions/node.ts";
import { settingsSchema } from "../../functions/settings.ts";
import { cpuSeconds } from "./child.ts";
import type { LoadServerReady, LoadServerReply, LoadServerStart } from "./load.ts";
import { countingReads, goLive } from "./load-stream.ts";

const [{ signingKeys }] = (await once(process, "message")) as [LoadServerStart];
const log = pino({ level: "info" });
const bucket = new MemoryStore({ clock: systemClock });
await goLive(bucket);
const { store, reads } = countingReads(bucket);
const server = await FunctionsServer.open({
	settings: settingsSchema.parse({
		signingKeys,
		streamKeySecrets: [Buffer.alloc(32, 7).toString("base64url")],
	}),
	store,
	presign: null,
	isBilled: false,
	address: { host: "127.0.0.1", port: 0 },
	clock: systemClock,
	// As `sluice start` has it.
	log: {
		debug: (fields, message) => log.debug(fields, message),
		info: (fields, message) => log.debug(fields, message),
		error: (fields, message) => log.error(fields, message),
	},
});
const app = new Hono();
app.get("/hello", (context) => context.text("hello"));
const helloPort = await new Promise<number>((resolve) => {
	serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, (address: AddressInfo) => resolve(address.port));
});

process.on("message", () => send({ cpuSeconds: cpuSeconds(), reads: reads() }));
process.on("disconnect", () => process.exit());
send({ port: server.port, helloPort });

function send(message: LoadServerReady | LoadServerReply): void {
	process.send?.(message);
}
