/** A name that is known before the group is made: the permissions of its nodes and of the wake-up call name it. */
export const GROUP_NAME = `${$app.name}-${$app.stage}-nodes`;
/** The scaling policy that makes one node more. */
export const GROW_POLICY = "one-more";

const region = aws.getRegionOutput().region;
const account = aws.getCallerIdentityOutput().accountId;
const partition = aws.getPartitionOutput().partition;

/** The first `*` is an id that AWS chooses; names are unique in a region. */
export const groupArn = $interpolate`arn:${partition}:autoscaling:${region}:${account}:autoScalingGroup:*:autoScalingGroupName/${GROUP_NAME}`;

/** `arn:<partition>:<service>:<region>:<account>:<name>` of something in this account and region. */
export function arnOf(service: string, name: string) {
	return $interpolate`arn:${partition}:${service}:${region}:${account}:${name}`;
}
