/** What the Worker needs of Cloudflare. wrangler.jsonc says the same for `wrangler deploy`; a test compares them. */
export const COMPATIBILITY = { date: "2026-01-01", flags: ["nodejs_compat"] };

export const DELIVERIES_CRON = "* * * * *";

/** Where nodes reach R2 as S3. */
export function r2Endpoint(accountId: string): string {
	return `https://${accountId}.r2.cloudflarestorage.com`;
}
