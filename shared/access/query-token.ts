/** The token of a query, `?token=` or `?jwt=`; empty when there is none. */
export function queryToken(query: string): string {
	const parameters = new URLSearchParams(query);
	return parameters.get("token") ?? parameters.get("jwt") ?? "";
}
