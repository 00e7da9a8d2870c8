import * as z from "zod";
import { listOf, networks, text } from "../scalar.ts";

type Shape<P extends string> = { readonly [K in `${P}Encryption`]: z.ZodDefault<z.ZodBoolean> } & {
	readonly [K in `${P}ServerKey` | `${P}ServerCert`]: z.ZodDefault<typeof text>;
} & { readonly [K in `${P}AllowOrigins`]: z.ZodDefault<z.ZodType<string[], string[]>> } & {
	readonly [K in `${P}TrustedProxies`]: z.ZodDefault<z.ZodType<string[], string[]>>;
};

/** What every HTTP server of MediaMTX has besides its address. */
export function httpServerShape<P extends string>(prefix: P, what: string): Shape<P> {
	return {
		[`${prefix}Encryption`]: z.boolean().default(false).describe(`Serve ${what} over HTTPS`),
		[`${prefix}ServerKey`]: text.default("server.key").describe(`Key of ${what} over HTTPS`),
		[`${prefix}ServerCert`]: text.default("server.crt").describe(`Certificate of ${what} over HTTPS`),
		[`${prefix}AllowOrigins`]: listOf(z.string(), 256).default(["*"]).describe(`Origins that may use ${what} (CORS)`),
		[`${prefix}TrustedProxies`]: networks.default([]).describe(`Proxies in front of ${what}`),
	} as unknown as Shape<P>;
}
