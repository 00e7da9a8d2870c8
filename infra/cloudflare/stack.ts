import { bucket } from "./storage.ts";
import { deliveries, worker } from "./worker.ts";

/** What `sst deploy` prints. */
export const outputs = { url: worker.url, bucket: bucket.name, cron: deliveries.id };
