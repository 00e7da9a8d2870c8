/** What the functions are told of nodes: how to wake some up, and what one gets that joins. */

import * as z from "zod";
import { InputError } from "#shared/problem.ts";

export const nodeSettingsShape = {
	/** Called by POST, signed with the secret, when a client wants a node and none is up. */
	wakeUrl: z
		.url({ protocol: /^https?$/ })
		.nullable()
		.default(null),
	wakeSecret: z
		.string()
		.regex(/^whsec_[A-Za-z0-9+/=]{32,88}$/, "must be whsec_ and base64")
		.nullable()
		.default(null),
	/** The bucket as settings of nodes name it; `null`: whoever runs them knows it. */
	nodeBucket: z.string().nullable().default(null),
	/** Handed to nodes that join; `null`: they bring their own. */
	nodeCredentials: z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }).nullable().default(null),
} as const;

const schema = z.object(nodeSettingsShape);
export type NodeSettings = z.infer<typeof schema>;

export const nodeVariablesShape = {
	SLUICE_WAKE_URL: z.string().optional(),
	SLUICE_WAKE_SECRET: z.string().optional(),
	/** `s3://…`; on Lambda it is the function's own bucket when this is left out. */
	SLUICE_NODE_BUCKET: z.string().optional(),
	SLUICE_BUCKET: z.string().optional(),
	/** Both: `sluice join` hands them out. */
	SLUICE_NODE_ACCESS_KEY_ID: z.string().optional(),
	SLUICE_NODE_SECRET_ACCESS_KEY: z.string().optional(),
} as const;

type NodeVariables = { readonly [K in keyof typeof nodeVariablesShape]?: string | undefined };

/** Reads the variables, as they are: the schema of the settings is to check them. */
export function nodeSettingsIn(variables: NodeVariables): Record<string, unknown> {
	const { SLUICE_NODE_ACCESS_KEY_ID: accessKeyId, SLUICE_NODE_SECRET_ACCESS_KEY: secretAccessKey } = variables;
	return {
		wakeUrl: variables.SLUICE_WAKE_URL || null,
		wakeSecret: variables.SLUICE_WAKE_SECRET || null,
		nodeBucket: variables.SLUICE_NODE_BUCKET || variables.SLUICE_BUCKET || null,
		nodeCredentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : null,
	};
}

/** Reads and checks the variables. @throws InputError `config.invalid` */
export function nodeSettingsOf(variables: NodeVariables): NodeSettings {
	const result = schema.safeParse(nodeSettingsIn(variables));
	if (result.success) return result.data;
	const faults = result.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`).join("; ");
	throw new InputError("config.invalid", `The variables of the functions (SLUICE_WAKE_…) are not right: ${faults}`);
}
