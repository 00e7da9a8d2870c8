import { isIP } from "node:net";

export { ANY_USER, type User, userSchema } from "#shared/config/user.ts";

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
