import { GROUP_NAME, GROW_POLICY, groupArn } from "./group-name.ts";
import { wakeSecret } from "./secrets.ts";
import { LAMBDA_TRUST, wakeStatements } from "./statements.ts";

/** Makes one node more when the functions call, signed, because a client wants a node and there is none. */
export const wake = new sst.aws.Function("Wake", {
	runtime: "nodejs24.x",
	architecture: "arm64",
	memory: "128 MB",
	timeout: "10 seconds",
	handler: "infra/node/aws/wake.handler",
	url: { cors: false },
	permissions: groupArn.apply((arn) =>
		wakeStatements(arn).map(({ Action, Resource }) => ({ actions: [...Action], resources: [...Resource] })),
	),
	environment: { AWS_GROUP: GROUP_NAME, AWS_GROW_POLICY: GROW_POLICY, WAKE_SECRET: wakeSecret.value },
	logging: { retention: "1 month" },
	transform: { role: { assumeRolePolicy: LAMBDA_TRUST } },
});
