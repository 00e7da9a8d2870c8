/** The token in what somebody pasted: the token itself, or a URL whose first segment it is. */
export function tokenIn(text: string): string {
	const pasted = text.trim();
	if (!/^https?:\/\//i.test(pasted) || !URL.canParse(pasted)) return pasted;
	return new URL(pasted).pathname.split("/")[1] ?? "";
}
