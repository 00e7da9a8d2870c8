import { LAUNCH_HOOK, TERMINATE_HOOK } from "../node/aws/agent.ts";
import { environmentFile } from "../node/environment-file.ts";
import { userData } from "../node/user-data.ts";
import { chosenNodes } from "../stage.ts";
import { publicUrl } from "./cdn.ts";
import { arnOf, GROUP_NAME, GROW_POLICY, groupArn } from "./group-name.ts";
import { AGENT_FILES, AGENT_UNIT } from "./machine-files.ts";
import { nodeAccess, subnets } from "./network.ts";
import { release } from "./releases.ts";
import { NODE_PARAMETERS } from "./secrets.ts";
import { nodeStatements } from "./statements.ts";
import { bucket } from "./storage.ts";
import { tags } from "./tags.ts";

const choice = chosenNodes(process.env);
const architecture = /^(a1|[a-z]+\d+g[a-z]*|im4gn|is4gen)\./.test(choice.instanceType) ? "arm64" : "amd64";
const nodeTags = { ...tags, Name: GROUP_NAME };

const logGroup = new aws.cloudwatch.LogGroup("NodeLogs", {
	name: `/${$app.name}/${$app.stage}/nodes`,
	retentionInDays: 30,
	tags,
});

const role = new aws.iam.Role("NodeRole", {
	description: "Media nodes of Sluice",
	assumeRolePolicy: JSON.stringify({
		Version: "2012-10-17",
		Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
	}),
	tags,
});

new aws.iam.RolePolicy("NodePolicy", {
	role: role.name,
	policy: $jsonStringify({
		Version: "2012-10-17",
		Statement: $resolve({
			bucketArn: bucket.arn,
			groupArn,
			logGroupArn: logGroup.arn,
			parametersArn: arnOf("ssm", `parameter${NODE_PARAMETERS}`),
		}).apply(nodeStatements),
	}),
});

const profile = new aws.iam.InstanceProfile("NodeProfile", { role: role.name, tags });

/** Debian has ffmpeg. The image is named at deployment: with one that AWS resolves later, a group cannot roll back. */
const image = aws.ssm.getParameterOutput({ name: `/aws/service/debian/release/12/latest/${architecture}` }).value;

const text = $resolve({
	url: publicUrl,
	bucketName: bucket.name,
	region: aws.getRegionOutput().region,
	logGroupName: logGroup.name,
}).apply(({ url, bucketName, region, logGroupName }) =>
	userData({
		root: $cli.paths.root,
		release: { url: `${url}/${release.key}`, sha256: release.sha256 },
		command: ["join", "--control", url, "--key", "@/run/sluice/join-key"],
		environment: {
			SLUICE_BUCKET: `s3://${bucketName}?region=${region}`,
			// Pages over HTTPS may call HTTPS alone: each node gets a certificate for its address.
			SLUICE_ACME: "yes",
			SLUICE_ACMEADDRESS: ":80",
			SLUICE_WEBRTCENCRYPTION: "yes",
			SLUICE_RTSPENCRYPTION: "optional",
		},
		files: [
			...AGENT_FILES,
			{
				path: "/etc/sluice/aws.env",
				mode: "0644",
				content: environmentFile({
					AWS_GROUP: GROUP_NAME,
					AWS_LOG_GROUP: logGroupName,
					AWS_SECRETS: NODE_PARAMETERS,
				}),
			},
		],
		units: [AGENT_UNIT],
	}),
);

const template = new aws.ec2.LaunchTemplate("NodeTemplate", {
	name: GROUP_NAME,
	imageId: image,
	instanceType: choice.instanceType,
	userData: text.apply((plain) => Buffer.from(plain).toString("base64")),
	iamInstanceProfile: { arn: profile.arn },
	networkInterfaces: [
		{ associatePublicIpAddress: "true", deleteOnTermination: "true", securityGroups: [nodeAccess.id] },
	],
	// Nothing but the machine itself may ask for its credentials.
	metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
	blockDeviceMappings: [
		{
			deviceName: "/dev/xvda",
			// The spool of segments that the bucket did not take yet is on it.
			ebs: { volumeSize: 20, volumeType: "gp3", encrypted: "true", deleteOnTermination: "true" },
		},
	],
	tagSpecifications: ["instance", "volume"].map((resourceType) => ({ resourceType, tags: nodeTags })),
	updateDefaultVersion: true,
	tags,
});

/**
 * The nodes. None runs until the wake-up call asks for one; each gives itself back when it has had no stream for a while.
 * A deployment replaces nodes one by one: a new one first has to say that it is healthy, and if it does not, the group
 * goes back to the launch template before.
 */
export const group = new aws.autoscaling.Group(
	"Nodes",
	{
		name: GROUP_NAME,
		minSize: 0,
		maxSize: choice.max,
		desiredCapacity: 0,
		vpcZoneIdentifiers: subnets.map(({ id }) => id),
		launchTemplate: { id: template.id, version: template.latestVersion.apply(String) },
		healthCheckType: "EC2",
		healthCheckGracePeriod: 0,
		defaultInstanceWarmup: 30,
		terminationPolicies: ["OldestLaunchTemplate", "OldestInstance"],
		initialLifecycleHooks: [
			{
				name: LAUNCH_HOOK,
				lifecycleTransition: "autoscaling:EC2_INSTANCE_LAUNCHING",
				// From the boot to a node that serves.
				heartbeatTimeout: 600,
				defaultResult: "ABANDON",
			},
			{
				name: TERMINATE_HOOK,
				lifecycleTransition: "autoscaling:EC2_INSTANCE_TERMINATING",
				heartbeatTimeout: 120,
				defaultResult: "CONTINUE",
			},
		],
		instanceRefresh: {
			strategy: "Rolling",
			preferences: {
				// A new node is up before an old one goes.
				minHealthyPercentage: 100,
				maxHealthyPercentage: 110,
				instanceWarmup: "30",
				autoRollback: true,
				skipMatching: true,
				scaleInProtectedInstances: "Refresh",
				standbyInstances: "Terminate",
			},
		},
		// Removing a stage does not wait for viewers.
		forceDelete: $app.removal === "remove",
		waitForCapacityTimeout: "0",
		tags: Object.entries(nodeTags).map(([key, value]) => ({ key, value, propagateAtLaunch: true })),
	},
	// How many there are now is not the deployment's to say.
	{ ignoreChanges: ["desiredCapacity"] },
);

/** What the wake-up call runs. The cooldown keeps many callers from making many nodes while the first one boots. */
export const grow = new aws.autoscaling.Policy("NodeGrow", {
	name: GROW_POLICY,
	autoscalingGroupName: group.name,
	policyType: "SimpleScaling",
	adjustmentType: "ChangeInCapacity",
	scalingAdjustment: 1,
	cooldown: 180,
});
