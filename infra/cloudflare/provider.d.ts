// SST declares the provider that a deployment has chosen; this folder is checked whichever one that is.
import type * as Cloudflare from "../../.sst/platform/node_modules/@pulumi/cloudflare/index.d.ts";

declare global {
	const cloudflare: typeof Cloudflare;
}
