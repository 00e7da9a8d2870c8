/** Reads what a request brings, against a route's schemas. */

import * as z from "zod";
import { adviceOnPathKey } from "#shared/config/deprecated.ts";
import { pathOverridesSchema } from "#shared/config/path-config.ts";
import { closest } from "#shared/config/suggest.ts";
import { InputError } from "#shared/problem.ts";
import type { Route } from "./routing.ts";

export const MAX_BODY_BYTES = 256 * 1024;
/** More faults are not told. */
const MAX_ISSUES = 50;
/** Longer keys are cut, and no similar one is looked for. */
const MAX_KEY_CHARS = 64;

/** Reads a JSON body. @throws InputError `input.unsupported_media_type`, `input.too_large`, `input.invalid` */
export async function readBody(request: Request, { body: schema, bodyTypes = [] }: Route): Promise<unknown> {
	if (schema === undefined) return undefined;
	const type = (request.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
	if (![...bodyTypes, "application/json"].includes(type)) {
		throw new InputError(
			"input.unsupported_media_type",
			`The body must be application/json; it is ${type === "" ? "of no type" : type.slice(0, 80)}`,
		);
	}
	const text = new TextDecoder().decode(await readBytes(request));
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (cause) {
		throw new InputError("input.invalid", "The body is not JSON", { cause });
	}
	return check(schema, value, "body");
}

async function readBytes(request: Request): Promise<Uint8Array> {
	if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY_BYTES) throw tooLarge();
	const chunks: Uint8Array[] = [];
	let length = 0;
	for await (const chunk of request.body ?? []) {
		length += chunk.length;
		if (length > MAX_BODY_BYTES) throw tooLarge();
		chunks.push(chunk);
	}
	const bytes = new Uint8Array(length);
	let at = 0;
	for (const chunk of chunks) {
		bytes.set(chunk, at);
		at += chunk.length;
	}
	return bytes;
}

/** Checks a value. @throws InputError `input.invalid` with every fault: where, and what is allowed */
export function check<S extends z.ZodType>(schema: S, value: unknown, where: string): z.output<S> {
	const result = schema.safeParse(value);
	if (result.success) return result.data;
	throw invalid(
		result.error.issues.flatMap((issue) => {
			const path = [where, ...issue.path.map(String)].join(".");
			if (issue.code !== "unrecognized_keys") return [{ path, message: issue.message }];
			const owner = issue.path.length === 0 ? schema : null;
			return issue.keys
				.slice(0, MAX_ISSUES)
				.map((key) => ({ path: `${path}.${key.slice(0, MAX_KEY_CHARS)}`, message: unknownKey(owner, key) }));
		}),
	);
}

function unknownKey(owner: z.ZodType | null, key: string): string {
	const advice = owner === pathOverridesSchema ? adviceOnPathKey(key) : null;
	if (advice !== null) return advice;
	const known = owner instanceof z.ZodObject && key.length <= MAX_KEY_CHARS ? Object.keys(owner.shape) : [];
	const meant = closest(key, known);
	return `is not known here${meant === null ? "" : `; did you mean ${meant}?`}`;
}

export type Issue = { readonly path: string; readonly message: string };

/** The fault of a request that breaks rules. There is one issue at least. */
export function invalid(issues: readonly Issue[]): InputError {
	const list = issues.map(({ path, message }) => `${path}: ${message}`).join("; ");
	return new InputError("input.invalid", `The request is not valid: ${list}`.slice(0, 2000), {
		data: { issues: issues.slice(0, MAX_ISSUES) },
	});
}

function tooLarge(): InputError {
	return new InputError("input.too_large", `The body has more than ${MAX_BODY_BYTES} bytes`);
}
