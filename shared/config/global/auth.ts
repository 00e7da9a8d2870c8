import * as z from "zod";
import { permissionSchema } from "../../access/permission.ts";
import { fingerprint, text } from "../scalar.ts";
import { type User, userSchema } from "../user.ts";

const httpURL = text.refine((value) => value === "" || /^https?:\/\/[^/]/.test(value), {
	message: "must be an http:// or https:// URL",
});
const exclusions = z.array(permissionSchema).max(256).default([]);

/** Whoever is on this machine may publish and read; all others need a token. */
export const LOCAL_USERS: readonly User[] = [
	{
		user: "any",
		pass: "",
		ips: ["127.0.0.1", "::1"],
		permissions: [
			{ action: "publish", path: "" },
			{ action: "read", path: "" },
			{ action: "playback", path: "" },
			{ action: "api", path: "" },
			{ action: "metrics", path: "" },
			{ action: "pprof", path: "" },
		],
	},
];

export const authShape = {
	authMethod: z
		.enum(["internal", "http", "jwt"])
		.default("internal")
		.describe("Who decides: authInternalUsers, an HTTP server of yours, or tokens of an identity provider"),
	authInternalUsers: z
		.array(userSchema)
		.max(10_000)
		.default([...LOCAL_USERS])
		.describe("Who may do what without a token"),
	authHTTPAddress: httpURL.default("").describe("URL that is asked, with POST, for authMethod: http"),
	authHTTPFingerprint: fingerprint
		.default("")
		.describe("SHA-256 of that server's certificate, when nobody else vouches for it"),
	authHTTPExclude: exclusions.describe("Actions that need no permission of that server"),
	authJWTJWKS: httpURL
		.default("")
		.describe("Where the public keys of tokens are: of an identity provider, or of functions that run elsewhere"),
	authJWTJWKSFingerprint: fingerprint
		.default("")
		.describe("SHA-256 of that server's certificate, when nobody else vouches for it"),
	authJWTClaimKey: text
		.refine((value) => value !== "", { message: "must not be empty" })
		.default("mediamtx_permissions")
		.describe("The claim that holds the permissions"),
	authJWTExclude: exclusions.describe("Actions that need no token"),
	authJWTIssuer: text.default("").describe("Issuer that tokens must name; empty: any"),
	authJWTAudience: text.default("").describe("Audience that tokens must name; empty: any"),
} as const;
