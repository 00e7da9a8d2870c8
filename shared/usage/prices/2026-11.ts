/** List prices as of November 2026. Prices change: a newer list is a file beside this one, and old answers keep theirs. */

import type { PriceTable, Provider } from "../price-table.ts";

const GIB = 1024 ** 3;
const DATE = "2026-11-21";

export const PRICES_2026_11: Readonly<Record<Provider, PriceTable>> = {
	aws: {
		id: "aws-us-east-1-2026-11",
		provider: "aws",
		date: DATE,
		currency: "USD",
		about:
			"S3 Standard in us-east-1; CloudFront to the United States and Europe, its first 10 TB a month, HTTPS; Lambda by the request, without its duration; EC2 to the internet, its first 10 TB a month. Lowest tiers; without free tiers, taxes and the machines of the nodes",
		sources: [
			"https://aws.amazon.com/s3/pricing/",
			"https://aws.amazon.com/cloudfront/pricing/",
			"https://aws.amazon.com/lambda/pricing/",
			"https://aws.amazon.com/ec2/pricing/on-demand/",
		],
		putsPerMillion: 5,
		getsPerMillion: 0.4,
		// CloudFront 0.0100 by ten thousand, and Lambda 0.20 by the million.
		servedPerMillion: 1.2,
		storagePerGbMonth: 0.023,
		servedPerGb: 0.085,
		nodeOutPerGb: 0.09,
		bytesPerGb: GIB,
		hoursPerMonth: 730,
	},
	cloudflare: {
		id: "cloudflare-2026-11",
		provider: "cloudflare",
		date: DATE,
		currency: "USD",
		about:
			"R2 Standard, which asks nothing for what leaves it; Workers by the request, without CPU time. Without free tiers, taxes and the machines of the nodes, whose provider asks for what they send",
		sources: [
			"https://developers.cloudflare.com/r2/pricing/",
			"https://developers.cloudflare.com/workers/platform/pricing/",
		],
		putsPerMillion: 4.5,
		getsPerMillion: 0.36,
		servedPerMillion: 0.3,
		storagePerGbMonth: 0.015,
		servedPerGb: 0,
		nodeOutPerGb: 0,
		bytesPerGb: 1e9,
		hoursPerMonth: 730,
	},
	none: {
		id: "none",
		provider: "none",
		date: DATE,
		currency: "USD",
		about:
			"A bucket of your own: nobody asks for anything. Set SLUICE_PRICES to aws or cloudflare to see what they would",
		sources: [],
		putsPerMillion: 0,
		getsPerMillion: 0,
		servedPerMillion: 0,
		storagePerGbMonth: 0,
		servedPerGb: 0,
		nodeOutPerGb: 0,
		bytesPerGb: 1e9,
		hoursPerMonth: 730,
	},
};
