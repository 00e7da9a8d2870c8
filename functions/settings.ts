import * as z from "zod";
import { signingKeysSchema } from "#shared/access/signing-key.ts";
import { DEFAULT_PATH_CONFIG, pathConfigSchema, pathOverridesSchema } from "#shared/config/path-config.ts";
import { nodeSettingsIn, nodeSettingsShape, nodeVariablesShape } from "./nodes/node-settings.ts";

/** What the functions are told: by variables and secrets in the cloud, by the node's configuration beside it. */
export const settingsSchema = z.object({
	signingKeys: signingKeysSchema,
	streamKeySecrets: z.array(z.base64url().min(22)).min(1),
	/** SHA-256, in hexadecimal, of API keys of administrators that need no bucket: the first one, and one for bad days. */
	adminKeyHashes: z
		.array(z.string().regex(/^[0-9a-f]{64}$/, "must be SHA-256 in lower-case hexadecimal"))
		.max(10)
		.default([]),
	/** The address that viewers use; the request's own when it is not known. */
	publicUrl: z.url().nullable().default(null),
	/** Webhooks may go to http:// and to private addresses. */
	webhookAllowInsecure: z.boolean().default(false),
	...nodeSettingsShape,
	/** What a path has that says nothing of its own; and what its node says of it. */
	pathDefaults: pathConfigSchema.default(DEFAULT_PATH_CONFIG),
	paths: z.record(z.string(), pathOverridesSchema).default({}),
});
export type Settings = z.infer<typeof settingsSchema>;

/** JSON in a variable; what is not JSON fails the schema behind it. */
const json = z.string().transform((text, context): unknown => {
	try {
		return JSON.parse(text);
	} catch {
		// JSON.parse has no other way to say no.
		context.addIssue({ code: "custom", message: "must be JSON" });
		return z.NEVER;
	}
});

/** The variables of a cloud function. */
export const environmentSchema = z
	.object({
		SLUICE_SIGNING_KEYS: json,
		SLUICE_STREAM_KEY_SECRETS: json,
		/** Separated by commas. */
		SLUICE_ADMIN_KEY_HASHES: z.string().optional(),
		SLUICE_PUBLIC_URL: z.string().optional(),
		SLUICE_WEBHOOK_ALLOW_INSECURE: z.enum(["true", "false"]).default("false"),
		...nodeVariablesShape,
	})
	.transform((variables): unknown => ({
		signingKeys: variables.SLUICE_SIGNING_KEYS,
		streamKeySecrets: variables.SLUICE_STREAM_KEY_SECRETS,
		adminKeyHashes: (variables.SLUICE_ADMIN_KEY_HASHES ?? "").split(/[\s,]+/).filter(Boolean),
		publicUrl: variables.SLUICE_PUBLIC_URL || null,
		webhookAllowInsecure: variables.SLUICE_WEBHOOK_ALLOW_INSECURE === "true",
		...nodeSettingsIn(variables),
	}))
	.pipe(settingsSchema);
