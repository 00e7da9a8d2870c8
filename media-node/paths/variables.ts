/** Variables in sources and destinations. Pure. */

export type Variables = {
	readonly path: string;
	/** Of the expression that the path matched, from the first group. */
	readonly groups: readonly string[];
	/** Of the first reader, as it was sent, without the question mark. */
	readonly query: string;
};

const VARIABLE = /\$(?:\{(\w+)\}|(MTX_PATH|MTX_QUERY|G\d{1,2}))/g;

/** Puts the variables into a URL: `$MTX_PATH`, `$MTX_QUERY`, `$G1`, and the same in braces. Others stay. */
export function withVariables(text: string, { path, groups, query }: Variables): string {
	return text.replaceAll(VARIABLE, (whole, braced: string | undefined, bare: string | undefined) => {
		const name = braced ?? bare ?? "";
		if (name === "MTX_PATH") return path;
		// What could begin another line or end the URL has no business in a query.
		if (name === "MTX_QUERY") return query.replaceAll(/[^\x21-\x7e]/g, "");
		const group = /^G(\d{1,2})$/.exec(name)?.[1];
		return group === undefined ? whole : (groups[Number(group) - 1] ?? "");
	});
}
