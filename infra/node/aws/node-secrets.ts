import { type AwsFetch, type Credentials, endpointOf, signedCall } from "./signed-call.ts";

/** Ten parameters a page, ten pages. */
const MAX_PAGES = 10;

type Page = {
	readonly Parameters?: readonly { readonly Name: string; readonly Value: string }[];
	readonly NextToken?: string;
};

/**
 * Reads the parameters below `path`, such as `/sluice/production/node/`, by the last part of their names: `join-key`.
 * @throws AwsError
 */
export async function readNodeSecrets(
	path: string,
	region: string,
	credentials: Credentials,
	nowMs: number,
	fetch: AwsFetch,
): Promise<Record<string, string>> {
	const secrets: Record<string, string> = {};
	let next: string | undefined;
	for (let page = 0; page < MAX_PAGES; page++) {
		const call = {
			service: "ssm",
			region,
			endpoint: endpointOf("ssm", region),
			headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "AmazonSSM.GetParametersByPath" },
			body: JSON.stringify({ Path: path, WithDecryption: true, ...(next === undefined ? {} : { NextToken: next }) }),
		};
		const answer = JSON.parse(await signedCall(call, credentials, nowMs, fetch)) as Page;
		for (const { Name, Value } of answer.Parameters ?? []) secrets[Name.slice(Name.lastIndexOf("/") + 1)] = Value;
		next = answer.NextToken;
		if (next === undefined) break;
	}
	return secrets;
}
