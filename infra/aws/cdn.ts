import { readFileSync } from "node:fs";
import path from "node:path";
import { edgeFunctionSource } from "#shared/access/edge-function.ts";
import { edgeKeysOf } from "#shared/access/edge-token.ts";
import {
	API_PATTERNS,
	CONSOLE_ASSETS_PATTERN,
	EDGE_FUNCTION,
	EDGE_HEADER,
	FORWARD_HOST_FUNCTION,
	PLAYBACK_QUERY,
} from "../cdn-paths.ts";
import { chosenDomain, chosenPlaylists } from "../stage.ts";
import { api, playback } from "./functions.ts";
import { releaseBucket } from "./releases.ts";
import { streamKeySecrets } from "./secrets.ts";
import { tags } from "./tags.ts";

/** Policies of AWS, the same in every account, https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html */
const CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
const CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6";
const ALL_VIEWER_EXCEPT_HOST_HEADER = "b689b0a8-53d0-40ab-baf2-68738e2966ac";
const YEAR_S = 31_536_000;

const name = `${$app.name}-${$app.stage}`;
const hostOf = (url: string) => new URL(url).host;

/** How long is the origin's to say. The token has left the path by then, so that all viewers share what is cached. */
const playbackCache = new aws.cloudfront.CachePolicy("PlaybackCache", {
	name: `${name}-playback`,
	minTtl: 0,
	defaultTtl: 0,
	maxTtl: YEAR_S,
	parametersInCacheKeyAndForwardedToOrigin: {
		cookiesConfig: { cookieBehavior: "none" },
		headersConfig: { headerBehavior: "none" },
		// Nothing else counts: what players report of themselves (CMCD) would give each of them a copy of its own.
		queryStringsConfig: { queryStringBehavior: "whitelist", queryStrings: { items: [...PLAYBACK_QUERY] } },
		enableAcceptEncodingGzip: true,
		enableAcceptEncodingBrotli: true,
	},
});

const playbackRequest = new aws.cloudfront.OriginRequestPolicy("PlaybackRequest", {
	name: `${name}-playback`,
	cookiesConfig: { cookieBehavior: "none" },
	// Limits of tokens are about the viewer, whom the origin would not see otherwise.
	headersConfig: {
		headerBehavior: "whitelist",
		headers: { items: [EDGE_HEADER, "CloudFront-Viewer-Address", "CloudFront-Viewer-Country", "Referer"] },
	},
	queryStringsConfig: { queryStringBehavior: "none" },
});

const signed = { signingBehavior: "always", signingProtocol: "sigv4" };
const functionAccess = new aws.cloudfront.OriginAccessControl("PlaybackOrigin", {
	name: `${name}-playback`,
	originAccessControlOriginType: "lambda",
	...signed,
});
const releaseAccess = new aws.cloudfront.OriginAccessControl("ReleaseOrigin", {
	name: `${name}-releases`,
	originAccessControlOriginType: "s3",
	...signed,
});

const textOf = (file: string) => readFileSync(path.join($cli.paths.root, file), "utf8");
const verifyToken = new aws.cloudfront.Function("VerifyToken", {
	runtime: "cloudfront-js-2.0",
	comment: "Verifies the token in the path, and takes it out",
	publish: true,
	// A secret, as what it is made of.
	code: streamKeySecrets.value.apply(async (list) => {
		const keys = await edgeKeysOf(JSON.parse(list) as string[]);
		return edgeFunctionSource(textOf(EDGE_FUNCTION), { keys, playlists: chosenPlaylists(process.env) });
	}),
});
const forwardHost = new aws.cloudfront.Function("ForwardHost", {
	runtime: "cloudfront-js-2.0",
	comment: "Names the host that the client asked for",
	publish: true,
	code: textOf(FORWARD_HOST_FUNCTION),
});
const onViewerRequest = (cloudfrontFunction: typeof verifyToken) => [
	{ eventType: "viewer-request", functionArn: cloudfrontFunction.arn },
];

const functionOrigin = {
	httpPort: 80,
	httpsPort: 443,
	originProtocolPolicy: "https-only",
	originSslProtocols: ["TLSv1.2"],
	originReadTimeout: 35,
};
const READ = ["GET", "HEAD", "OPTIONS"];
const behavior = { viewerProtocolPolicy: "redirect-to-https", cachedMethods: ["GET", "HEAD"], compress: true };

const domain = chosenDomain(process.env);

/** What viewers and administrators talk to. */
export const cdn = new sst.aws.Cdn("Cdn", {
	comment: `${$app.name} ${$app.stage}`,
	...(domain === null ? {} : { domain }),
	origins: [
		{
			originId: "playback",
			domainName: playback.url.apply(hostOf),
			customOriginConfig: functionOrigin,
			originAccessControlId: functionAccess.id,
		},
		{ originId: "api", domainName: api.url.apply(hostOf), customOriginConfig: functionOrigin },
		{
			originId: "releases",
			domainName: releaseBucket.bucketRegionalDomainName,
			originAccessControlId: releaseAccess.id,
		},
	],
	defaultCacheBehavior: {
		...behavior,
		targetOriginId: "playback",
		allowedMethods: READ,
		cachePolicyId: playbackCache.id,
		originRequestPolicyId: playbackRequest.id,
		functionAssociations: onViewerRequest(verifyToken),
	},
	orderedCacheBehaviors: [
		{
			...behavior,
			pathPattern: "/releases/*",
			targetOriginId: "releases",
			allowedMethods: READ,
			cachePolicyId: CACHING_OPTIMIZED,
		},
		{
			// Neither headers, cookies nor queries reach the function: what it answers is the same for everybody.
			...behavior,
			pathPattern: CONSOLE_ASSETS_PATTERN,
			targetOriginId: "api",
			allowedMethods: READ,
			cachePolicyId: CACHING_OPTIMIZED,
		},
		...API_PATTERNS.map((pathPattern) => ({
			...behavior,
			pathPattern,
			targetOriginId: "api",
			allowedMethods: [...READ, "PUT", "PATCH", "POST", "DELETE"],
			cachePolicyId: CACHING_DISABLED,
			originRequestPolicyId: ALL_VIEWER_EXCEPT_HOST_HEADER,
			functionAssociations: onViewerRequest(forwardHost),
		})),
	],
	wait: false,
	tags,
	transform: { distribution: { httpVersion: "http2and3", isIpv6Enabled: true, priceClass: "PriceClass_All" } },
});

/** Function URLs want both since October 2025, https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html */
export const playbackAccess = ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"].map(
	(action, index) =>
		new aws.lambda.Permission(`PlaybackFromCdn${index + 1}`, {
			action,
			function: playback.name,
			principal: "cloudfront.amazonaws.com",
			sourceArn: cdn.nodes.distribution.arn,
			...(action === "lambda:InvokeFunction" ? { invokedViaFunctionUrl: true } : {}),
		}),
);

export const releasePolicy = new aws.s3.BucketPolicy("ReleasesPolicy", {
	bucket: releaseBucket.bucket,
	policy: $jsonStringify({
		Version: "2012-10-17",
		Statement: [
			{
				Sid: "ReadByTheCdn",
				Effect: "Allow",
				Principal: { Service: "cloudfront.amazonaws.com" },
				Action: "s3:GetObject",
				Resource: $interpolate`${releaseBucket.arn}/releases/*`,
				Condition: { StringEquals: { "AWS:SourceArn": cdn.nodes.distribution.arn } },
			},
		],
	}),
});

/** The address of everything, as people and nodes write it. */
export const publicUrl = domain === null ? cdn.url : $interpolate`https://${domain}`;
