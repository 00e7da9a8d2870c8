/** Every permission that anything of ours has on AWS, written out. A test compares the deployed policies with a snapshot. */

/** A statement of an IAM policy. */
export type Statement = {
	readonly Sid: string;
	readonly Effect: "Allow";
	readonly Action: readonly string[];
	readonly Resource: readonly string[];
	readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
};

/**
 * What a node writes: its streams, their events, its own sign of life, how its streams fare, and what they used in an hour.
 * The sum of a day (`usage/<day>/day.json`) is the functions' to write.
 */
const NODE_WRITES = [
	"streams/*",
	"events/*",
	"outbox/*",
	"nodes/*/heartbeat.jws",
	"nodes/*/streams.json",
	"usage/*/*/*.json",
];
/** What a node takes away: its streams by their retention, and what it says of itself when it stops. */
const NODE_DELETES = ["streams/*", "nodes/*/heartbeat.jws", "nodes/*/streams.json"];
/** What a node reads: no webhook, no API key, no delivery and nothing of the audit log. Keys in access.json are sealed. */
const NODE_READS = [
	"streams/*",
	"events/*",
	"nodes/*/heartbeat.jws",
	"nodes/*/registration.json",
	"config/paths/*",
	"config/version.json",
	"config/access.json",
];
const NODE_LISTS = ["streams/*", "events/*", "config/paths/*"];

export type NodeResources = {
	readonly bucketArn: string;
	readonly groupArn: string;
	readonly logGroupArn: string;
	/** Of the secrets of nodes, with a slash at its end. */
	readonly parametersArn: string;
};

/** What an instance of a media node may do. */
export function nodeStatements({ bucketArn, groupArn, logGroupArn, parametersArn }: NodeResources): Statement[] {
	const objects = (keys: readonly string[]) => keys.map((key) => `${bucketArn}/${key}`);
	return [
		{ Sid: "ReadObjects", Effect: "Allow", Action: ["s3:GetObject"], Resource: objects(NODE_READS) },
		{ Sid: "WriteObjects", Effect: "Allow", Action: ["s3:PutObject"], Resource: objects(NODE_WRITES) },
		{ Sid: "DeleteObjects", Effect: "Allow", Action: ["s3:DeleteObject"], Resource: objects(NODE_DELETES) },
		{
			// Without it S3 answers 403 instead of 404 for a key that is not there; such a read has no prefix, hence IfExists. A
			// listing without a prefix passes too: a node could learn the names of all keys, and names are no secrets.
			Sid: "ListObjects",
			Effect: "Allow",
			Action: ["s3:ListBucket"],
			Resource: [bucketArn],
			Condition: { StringLikeIfExists: { "s3:prefix": NODE_LISTS } },
		},
		{
			Sid: "SpeakForItselfInItsGroup",
			Effect: "Allow",
			Action: [
				"autoscaling:CompleteLifecycleAction",
				"autoscaling:SetInstanceHealth",
				"autoscaling:TerminateInstanceInAutoScalingGroup",
			],
			Resource: [groupArn],
		},
		{
			Sid: "WriteItsLog",
			Effect: "Allow",
			Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
			Resource: [`${logGroupArn}:*`],
		},
		{
			Sid: "ReadItsSecrets",
			Effect: "Allow",
			Action: ["ssm:GetParametersByPath"],
			Resource: [parametersArn.replace(/\/$/, ""), `${parametersArn.replace(/\/$/, "")}/*`],
		},
	];
}

/** What the wake-up call may do: ask one group for one node more. */
export function wakeStatements(groupArn: string): Statement[] {
	return [{ Sid: "AskForANode", Effect: "Allow", Action: ["autoscaling:ExecutePolicy"], Resource: [groupArn] }];
}

/** Who may take a role: Lambda alone. SST's own choice is every user of the account besides, for `sst dev`. */
export const LAMBDA_TRUST = JSON.stringify({
	Version: "2012-10-17",
	Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
});
