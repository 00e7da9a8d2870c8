/** What a cloud would answer while sst.config.ts runs: names and ids that follow from what was asked. */

type Asked = { readonly type: string; readonly name: string; readonly inputs: Readonly<Record<string, unknown>> };

const REGION = "eu-west-1";
const ACCOUNT = "123456789012";

/** Properties that only the cloud knows, by the type of a resource. */
const KNOWN: Readonly<Record<string, (asked: Asked) => Record<string, unknown>>> = {
	"aws:s3/bucket:Bucket": ({ name, inputs }) => {
		const bucket = String(inputs["bucket"] ?? `${name}-mock`.toLowerCase());
		return {
			bucket,
			arn: `arn:aws:s3:::${bucket}`,
			bucketRegionalDomainName: `${bucket}.s3.${REGION}.amazonaws.com`,
		};
	},
	"aws:lambda/functionUrl:FunctionUrl": ({ name }) => ({
		functionUrl: `https://${name.toLowerCase()}.lambda-url.${REGION}.on.aws/`,
	}),
	"aws:cloudfront/distribution:Distribution": () => ({
		arn: `arn:aws:cloudfront::${ACCOUNT}:distribution/E1MOCK`,
		domainName: "d111111abcdef8.cloudfront.net",
		hostedZoneId: "Z2FDTNDATAQYW2",
	}),
	"aws:ec2/launchTemplate:LaunchTemplate": () => ({ latestVersion: 7 }),
	"pulumi-nodejs:dynamic:Resource": () => ({ isDone: true, url: "functions.example.workers.dev" }),
};

/** The new resource's id, and all that is known of it. */
export function newResource(asked: Asked): { id: string; state: Record<string, unknown> } {
	const { name, type, inputs } = asked;
	const arn = `arn:aws:${type.split(":")[1]?.split("/")[0] ?? ""}:${REGION}:${ACCOUNT}:${name}`;
	return {
		id: `${name}-id`,
		state: { arn, ...inputs, name: inputs["name"] ?? name, ...KNOWN[type]?.(asked) },
	};
}

/** What data sources answer. */
export function answerCall({ token, inputs }: { token: string; inputs: Record<string, unknown> }) {
	const answers: Readonly<Record<string, Record<string, unknown>>> = {
		"aws:index/getRegion:getRegion": { name: REGION, region: REGION, id: REGION },
		"aws:index/getCallerIdentity:getCallerIdentity": { accountId: ACCOUNT, id: ACCOUNT },
		"aws:index/getPartition:getPartition": { partition: "aws", dnsSuffix: "amazonaws.com" },
		"aws:index/getAvailabilityZones:getAvailabilityZones": { names: ["eu-west-1a", "eu-west-1b", "eu-west-1c"] },
		"aws:iam/getPolicyDocument:getPolicyDocument": {
			...inputs,
			json: policyDocument((inputs["statements"] ?? []) as PolicyStatement[]),
		},
		"aws:ssm/getParameter:getParameter": { value: "ami-0123456789abcdef0" },
	};
	return answers[token] ?? inputs;
}

type PolicyStatement = {
	readonly effect?: string;
	readonly actions?: readonly string[];
	readonly resources?: readonly string[];
	readonly principals?: readonly { readonly type: string; readonly identifiers: readonly string[] }[];
	readonly conditions?: readonly { readonly test: string; readonly variable: string; readonly values: unknown }[];
};

/** As the provider writes the document of its data source. */
function policyDocument(statements: readonly PolicyStatement[]): string {
	const Statement = statements.map(({ effect, actions, resources, principals, conditions }) => ({
		Effect: effect ?? "Allow",
		...(principals === undefined
			? {}
			: { Principal: Object.fromEntries(principals.map(({ type, identifiers }) => [type, identifiers])) }),
		Action: actions,
		Resource: resources,
		...(conditions === undefined || conditions.length === 0
			? {}
			: {
					Condition: Object.fromEntries(conditions.map(({ test, variable, values }) => [test, { [variable]: values }])),
				}),
	}));
	return JSON.stringify({ Version: "2012-10-17", Statement });
}
