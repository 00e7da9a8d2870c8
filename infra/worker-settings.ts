/** What the Worker needs of Cloudflare. wrangler.jsonc says the same for `wrangler deploy`; a test compares them. */
export const COMPATIBILITY = { date: "2026-01-01", flags: ["nodejs_compat"] };

/** The console's files: the Worker answers for each, by the binding ASSETS. */
export const ASSETS = { htmlHandling: "none", notFoundHandling: "none", runWorkerFirst: true } as const;

export const DELIVERIES_CRON = "* * * * *";

/** Where nodes reach R2 as S3. */
export function r2Endpoint(accountId: string): string {
	return `https://${accountId}.r2.cloudflarestorage.com`;
}
