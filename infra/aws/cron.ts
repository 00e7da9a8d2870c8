import { functionArgs } from "./functions.ts";

/** Delivers the webhooks that are due. A function of its own, not one that the schedule makes: that one's secrets would be plain. */
const deliver = new sst.aws.Function("Deliver", { ...functionArgs, handler: "functions/lambda.scheduled" });

/** Also when nobody calls. */
export const deliveries = new sst.aws.Cron("Deliveries", { schedule: "rate(1 minute)", function: deliver.arn });
