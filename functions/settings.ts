import * as z from "zod";
import { signingKeysSchema } from "#shared/access/signing-key.ts";
import { DEFAULT_PATH_CONFIG, pathConfigSchema, pathOverridesSchema } from "#shared/config/path-config.ts";
import { PROVIDERS } from "#shared/usage/price-table.ts";
import { nodeSettingsIn, nodeSettingsShape, nodeVariablesShape } from "./nodes/node-settings.ts";

const keyHashes = z
	.array(z.string().regex(/^[0-9a-f]{64}$/, "must be SHA-256 in lower-case hexadecimal"))
	.max(10)
	.default([]);
export const DEFAULT_DONE_DAYS = 7;
export const DEFAULT_DEAD_DAYS = 90;
const days = z.int().min(1).max(3650);

/** What the functions are told: by variables and secrets in the cloud, by the node's configuration beside it. */
export const settingsSchema = z.object({
	signingKeys: signingKeysSchema,
	streamKeySecrets: z.array(z.base64url().min(22)).min(1),
	/** SHA-256, in hexadecimal, of API keys of administrators that need no bucket: the first one, and one for bad days. */
	adminKeyHashes: keyHashes,
	/** The same of keys that may make machines media nodes, and nothing else. */
	nodeKeyHashes: keyHashes,
	/** The address that viewers use; the request's own when it is not known. */
	publicUrl: z.url().nullable().default(null),
	/** Webhooks may go to http:// and to private addresses. */
	webhookAllowInsecure: z.boolean().default(false),
	/** How long it is remembered what webhooks delivered, and what they gave up. */
	webhookDoneDays: days.default(DEFAULT_DONE_DAYS),
	webhookDeadDays: days.default(DEFAULT_DEAD_DAYS),
	/** Whose list of prices usage is told by. */
	prices: z.enum(PROVIDERS).default("none"),
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
		/** Separated by commas. */
		SLUICE_NODE_KEY_HASHES: z.string().optional(),
		SLUICE_WEBHOOK_ALLOW_INSECURE: z.enum(["true", "false"]).default("false"),
		SLUICE_WEBHOOK_DONE_DAYS: z.coerce.number().optional(),
		SLUICE_WEBHOOK_DEAD_DAYS: z.coerce.number().optional(),
		/** `aws`, `cloudflare` or `none`; each entry knows better than `none` where it runs. */
		SLUICE_PRICES: z.string().optional(),
		...nodeVariablesShape,
	})
	.transform((variables): unknown => ({
		signingKeys: variables.SLUICE_SIGNING_KEYS,
		streamKeySecrets: variables.SLUICE_STREAM_KEY_SECRETS,
		adminKeyHashes: listIn(variables.SLUICE_ADMIN_KEY_HASHES),
		nodeKeyHashes: listIn(variables.SLUICE_NODE_KEY_HASHES),
		publicUrl: variables.SLUICE_PUBLIC_URL || null,
		webhookAllowInsecure: variables.SLUICE_WEBHOOK_ALLOW_INSECURE === "true",
		webhookDoneDays: variables.SLUICE_WEBHOOK_DONE_DAYS,
		webhookDeadDays: variables.SLUICE_WEBHOOK_DEAD_DAYS,
		prices: variables.SLUICE_PRICES || undefined,
		...nodeSettingsIn(variables),
	}))
	.pipe(settingsSchema);

function listIn(variable = ""): string[] {
	return variable.split(/[\s,]+/).filter(Boolean);
}
