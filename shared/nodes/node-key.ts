/** The key of a node, P-256 as a JSON Web Key: the node alone has the private half. */

import type { z } from "zod";
import { generateSigningKey, signingKeySchema } from "#shared/access/signing-key.ts";

export const nodeKeySchema = signingKeySchema;
export type NodeKey = z.infer<typeof nodeKeySchema>;

/** What is registered: any private part that somebody sends is left out. */
export const nodePublicKeySchema = signingKeySchema
	.pick({ kty: true, crv: true, alg: true, kid: true, x: true, y: true })
	.meta({ id: "NodePublicKey" });
export type NodePublicKey = z.infer<typeof nodePublicKeySchema>;

export const generateNodeKey: () => Promise<NodeKey> = generateSigningKey;

/** The half that may be shown. */
export function publicNodeKey(key: NodeKey): NodePublicKey {
	return nodePublicKeySchema.parse(key);
}
