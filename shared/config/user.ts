/** One entry of `authInternalUsers`, and the credentials in it. */

import * as z from "zod";
import { permissionSchema } from "../access/permission.ts";
import { networks } from "./scalar.ts";

/** The user name that stands for everybody, who need not show anything. */
export const ANY_USER = "any";

/** What a hash may ask for: beyond these a check would take seconds or the memory of a small machine. */
export const MAX_ARGON2_MEMORY_KIB = 256 * 1024;
export const MAX_ARGON2_PASSES = 16;
export const MAX_ARGON2_LANES = 16;
/** Nobody types more, and hashing it would take long. */
export const MAX_PASSWORD_LENGTH = 1024;
/** A plain password that is shorter is weak. */
export const MIN_STRONG_PASSWORD_LENGTH = 12;

const MAX_PERMISSIONS = 1024;

const ARGON2 =
	/^argon2:\$argon2(?:i|id)\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$[0-9A-Za-z+/]{11,86}={0,2}\$[0-9A-Za-z+/]{22,86}={0,2}$/;

/** What is wrong with a user name or password in a configuration, as the end of a sentence; `null` when nothing is. */
export function credentialFault(configured: string): string | null {
	if (configured.length > MAX_PASSWORD_LENGTH) return `is longer than ${MAX_PASSWORD_LENGTH} characters`;
	if (configured.startsWith("sha256:") && !/^sha256:[0-9A-Za-z+/]{43}=?$/.test(configured)) {
		return "is not sha256: and the base64 form of 32 bytes";
	}
	if (!configured.startsWith("argon2:")) return null;
	const match = ARGON2.exec(configured);
	const [memory, passes, lanes] = [Number(match?.[1]), Number(match?.[2]), Number(match?.[3])];
	const isRight =
		match !== null &&
		memory >= 8 * lanes &&
		memory <= MAX_ARGON2_MEMORY_KIB &&
		passes >= 1 &&
		passes <= MAX_ARGON2_PASSES &&
		lanes >= 1 &&
		lanes <= MAX_ARGON2_LANES;
	return isRight
		? null
		: "is not argon2: and a hash such as $argon2id$v=19$m=19456,t=2,p=1$SALT$HASH " +
				`(m up to ${MAX_ARGON2_MEMORY_KIB}, t up to ${MAX_ARGON2_PASSES}, p up to ${MAX_ARGON2_LANES})`;
}

/** Says whether a password would fall to guessing: short, and not a hash, of which the length does not tell. */
export function isWeakPassword(configured: string): boolean {
	return !/^(?:sha256|argon2):/.test(configured) && configured.length < MIN_STRONG_PASSWORD_LENGTH;
}

const credential = z.preprocess(
	(value) => (typeof value === "number" ? String(value) : (value ?? "")),
	z.string().superRefine((text, context) => {
		const fault = credentialFault(text);
		if (fault !== null) context.addIssue({ code: "custom", message: fault });
	}),
);

/** One entry of `authInternalUsers`, as MediaMTX has it. */
export const userSchema = z
	.strictObject({
		user: credential
			.refine((text) => text !== "", { message: `must not be empty; ${ANY_USER} stands for everybody` })
			.describe(`Name, plain or as sha256: or argon2: hash; ${ANY_USER}: everybody, without a password`),
		pass: credential.default("").describe("Password, plain or as sha256: or argon2: hash"),
		ips: z
			.preprocess((value) => value ?? [], networks)
			.default([])
			.describe("Addresses and networks that the client must come from; empty: anywhere"),
		permissions: z.array(permissionSchema).max(MAX_PERMISSIONS).default([]).describe("What the user may do"),
	})
	.refine(({ user, pass }) => user !== ANY_USER || pass === "", {
		message: `a password has no effect: ${ANY_USER} stands for everybody, without one. Leave pass out or give the user a name`,
		path: ["pass"],
	})
	.meta({ id: "User", description: "Who may do what without a token" });

export type User = z.infer<typeof userSchema>;
