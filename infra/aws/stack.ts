import { cdn, publicUrl } from "./cdn.ts";
import "./cron.ts";
import { group } from "./nodes.ts";
import { bucket } from "./storage.ts";

/** What `sst deploy` prints. */
export const outputs = {
	url: publicUrl,
	bucket: bucket.name,
	nodes: group.name,
	distribution: cdn.nodes.distribution.id,
};
