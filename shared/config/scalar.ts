/** The kinds of values that settings have, as people write them in YAML, JSON and the environment. */

import * as z from "zod";
import { durationMs, durationSchema } from "./duration.ts";

/** Longer texts are no settings. */
const MAX_TEXT_LENGTH = 64 * 1024;

/** Text; a number without quotes is text as well. */
export const text = z.preprocess(
	(value) => (typeof value === "number" ? String(value) : value),
	z.string().max(MAX_TEXT_LENGTH),
);

/** A duration within bounds, both included. */
export function durationBetween(min: string, max: string) {
	const [minMs, maxMs] = [durationMs(min), durationMs(max)];
	return durationSchema.refine((value) => durationMs(value) >= minMs && durationMs(value) <= maxMs, {
		message: `must be between ${min} and ${max}`,
	});
}

/** A time-out of a peer. */
export const timeout = durationBetween("100ms", "1h");

const UNITS: Readonly<Record<string, number>> = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };
const SIZE = /^(\d{1,15}(?:\.\d{1,6})?)([KMGT]?)(?:I?B)?$/;

/** Reads `500`, `50M`, `1.5GB`, `10GiB` as bytes, in powers of 1024. `null` if it is none. */
export function parseSizeBytes(value: string): number | null {
	const match = SIZE.exec(value.trim().toUpperCase());
	const unit = UNITS[match?.[2] ?? "?"];
	if (match === null || unit === undefined) return null;
	const bytes = Math.floor(Number(match[1]) * unit);
	return Number.isSafeInteger(bytes) ? bytes : null;
}

/** A size in a configuration: text such as `50M` outside, the same text inside; {@link sizeBytes} reads it. */
export const size = z
	.preprocess(
		(value) => (typeof value === "number" ? String(value) : value),
		z
			.string()
			.refine((value) => parseSizeBytes(value) !== null, { message: "must be a size such as 500K, 50M or 10G" }),
	)
	.meta({ description: "A size such as `50M`" });

/** Bytes of a size that the schema has accepted. */
export function sizeBytes(value: string): number {
	const bytes = parseSizeBytes(value);
	if (bytes === null) throw new TypeError(`Cannot read size: current value is ${JSON.stringify(value)}`);
	return bytes;
}

const ADDRESS = /^(?:\[[0-9a-fA-F:.]+\]|[^:[\]/]*):(\d{1,5})$/;

/** Where a server listens over TCP or UDP: `:8554`, `127.0.0.1:8554`, `[::1]:8554`. */
export const listenAddress = z.string().refine((value) => Number(ADDRESS.exec(value)?.[1] ?? 1e9) <= 65_535, {
	message: "must be :port, host:port or [ipv6]:port",
});

/** Where an HTTP server listens: as {@link listenAddress}, or `unix://PATH`. */
export const httpAddress = z
	.string()
	.refine((value) => value.startsWith("unix://") || Number(ADDRESS.exec(value)?.[1] ?? 1e9) <= 65_535, {
		message: "must be :port, host:port, [ipv6]:port or unix://PATH",
	});

/** Addresses and networks in CIDR notation. */
export const networks = z
	.array(
		z.union(
			[z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()],
			"must be an address such as 10.0.0.7 or a network such as 10.0.0.0/8",
		),
	)
	.max(1024);

/** SHA-256 of a certificate, in hex; empty: the certificate must be valid. */
export const fingerprint = z
	.string()
	.regex(/^(?:[0-9a-fA-F]{2}(?::?[0-9a-fA-F]{2}){31})?$/, "must be the 64 hex digits of a SHA-256 fingerprint");

/** `yes` and `no` are booleans in YAML files of old. */
export const encryption = z.preprocess(
	(value) =>
		value === false || value === "false"
			? "no"
			: value === true || value === "true" || value === "yes"
				? "strict"
				: value,
	z.enum(["no", "optional", "strict"]),
);

/** A list; text with commas is one too, as in an environment variable. */
export function listOf<T extends z.ZodType>(item: T, max: number) {
	return z.preprocess((value) => (typeof value === "string" ? splitList(value) : value), z.array(item).max(max));
}

function splitList(value: string): string[] {
	return value === "" ? [] : value.split(",").map((part) => part.trim());
}

export const port = z.int().min(1).max(65_535);
