import { isIP } from "node:net";
import { z } from "zod";
import { permissionSchema } from "#shared/access/permission.ts";
import { credentialFault } from "./password.ts";

/** The user name that stands for everybody, who need not show anything. */
export const ANY_USER = "any";

const MAX_IPS = 1024;
const MAX_PERMISSIONS = 1024;

const credentialSchema = z.string().superRefine((text, context) => {
	const fault = credentialFault(text);
	if (fault !== null) context.addIssue({ code: "custom", message: fault });
});

/** One entry of `authInternalUsers`, as MediaMTX has it. */
export const userSchema = z
	.strictObject({
		user: credentialSchema
			.refine((text) => text !== "", { message: `must not be empty; ${ANY_USER} stands for everybody` })
			.describe(`Name, plain or as sha256: or argon2: hash; ${ANY_USER}: everybody, without a password`),
		pass: credentialSchema.default("").describe("Password, plain or as sha256: or argon2: hash"),
		ips: z
			.array(
				z.string().refine((text) => parseNetwork(text) !== null, {
					message: "must be an address such as 10.0.0.7 or a network such as 10.0.0.0/8",
				}),
			)
			.max(MAX_IPS)
			.default([])
			.describe("Addresses and networks that the client must come from; empty: anywhere"),
		permissions: z.array(permissionSchema).max(MAX_PERMISSIONS).default([]).describe("What the user may do"),
	})
	.meta({ id: "User", description: "Who may do what without a token" });

export type User = z.infer<typeof userSchema>;

export type Network = { readonly address: string; readonly prefix: number; readonly family: "ipv4" | "ipv6" };

/** Reads an address or a network in CIDR notation; `null` if it is neither. */
export function parseNetwork(text: string): Network | null {
	const [address = "", prefixText, ...rest] = text.split("/");
	const version = isIP(address);
	if (version === 0 || rest.length > 0 || address.includes("%")) return null;
	const bits = version === 4 ? 32 : 128;
	if (prefixText !== undefined && !/^\d{1,3}$/.test(prefixText)) return null;
	const prefix = prefixText === undefined ? bits : Number(prefixText);
	return prefix > bits ? null : { address, prefix, family: version === 4 ? "ipv4" : "ipv6" };
}
