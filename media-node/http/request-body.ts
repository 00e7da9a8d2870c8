import type { IncomingMessage } from "node:http";
import { InputError } from "#shared/problem.ts";

/** As MediaMTX: a configuration of many thousand paths fits. */
export const MAX_BODY_BYTES = 10 * 1024 * 1024;

/** What a body may be. `name`: what it is, for messages. */
export type BodyLimit = { readonly maxBytes: number; readonly name: string };

const ANY_BODY: BodyLimit = { maxBytes: MAX_BODY_BYTES, name: "body" };

/** Reads the body of a request as UTF-8. @throws InputError `input.too_large`, `input.invalid` */
export async function readBody(request: IncomingMessage, limit: BodyLimit = ANY_BODY): Promise<string> {
	const { maxBytes } = limit;
	if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge(limit);
	const chunks: Uint8Array[] = [];
	let size = 0;
	try {
		// The connection stays, for the answer that says what is wrong.
		for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
			size += chunk.length;
			if (size > maxBytes) throw tooLarge(limit);
			chunks.push(chunk);
		}
	} catch (cause) {
		if (cause instanceof InputError) throw cause;
		throw new InputError("input.invalid", "The request ended before its body did", { cause });
	}
	return Buffer.concat(chunks).toString("utf8");
}

function tooLarge({ maxBytes, name }: BodyLimit): InputError {
	return new InputError("input.too_large", `The ${name} is larger than ${maxBytes} bytes`, { data: { maxBytes } });
}
