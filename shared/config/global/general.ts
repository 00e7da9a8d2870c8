import * as z from "zod";
import { listOf, text, timeout } from "../scalar.ts";

export const generalShape = {
	logLevel: z
		.enum(["error", "warn", "info", "debug"])
		.default("info")
		.describe("The least important lines that are logged"),
	logDestinations: listOf(z.enum(["stdout", "file", "syslog"]), 3)
		.default(["stdout"])
		.describe("Where log lines go: stdout, file (logFile) or both"),
	logStructured: z.boolean().default(false).describe("Log lines are JSON"),
	logFile: text.default("mediamtx.log").describe("The file of logDestinations"),
	readTimeout: timeout.default("10s").describe("How long a publisher or source may be silent"),
	writeTimeout: timeout.default("10s").describe("How long a reader may take nothing"),
	writeQueueSize: z
		.int()
		.min(1)
		.max(65_536)
		.refine((value) => (value & (value - 1)) === 0, { message: "must be a power of two" })
		.default(512)
		.describe("Packets that may wait for a reader, of 1500 bytes each at least; beyond 4 MB nothing waits"),
	udpMaxPayloadSize: z
		.int()
		.min(64)
		.max(1472)
		.default(1452)
		.describe(
			"Largest UDP payload that is sent; larger packets of publishers are divided (at the default: those above 1472)",
		),
	udpReadBufferSize: z
		.int()
		.min(0)
		.max(2 ** 30)
		.default(0)
		.describe("Receive buffer of UDP sockets; 0: 2 MB"),
	runOnConnect: text.default("").describe("Run while a client is connected"),
	runOnConnectRestart: z.boolean().default(false).describe("Start the command of runOnConnect again when it exits"),
	runOnDisconnect: text.default("").describe("Run when a client disconnects"),
} as const;

/** Of logs and debugging; not built yet. */
export const debugShape = {
	sysLogPrefix: text.default("mediamtx").describe("What stands before each line in the system's log"),
	dumpPackets: z.boolean().default(false).describe("Write every packet to disk"),
} as const;
