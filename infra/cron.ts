import { functionArgs } from "./functions.ts";

/** Delivers the webhooks that are due, also when nobody calls. */
export const deliveries = new sst.aws.Cron("Deliveries", {
	schedule: "rate(1 minute)",
	function: { ...functionArgs, handler: "functions/lambda.scheduled" },
});
