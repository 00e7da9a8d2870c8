/** Says what is wrong with a text that is to be an API key or token; `null` when only the server can tell. */
export function keyFault(text: string): string | null {
	if (text === "") return "Paste your API key or token first.";
	if (/\s/.test(text)) return "A key has no spaces or line breaks. Paste it alone.";
	if (/^slk_[A-Za-z0-9_-]{43}$/.test(text)) return null;
	if (text.startsWith("slk_")) return "The key is not complete: it is slk_ and 43 characters.";
	// A token that administers opens the console too.
	if (/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(text)) return null;
	return "This is neither an API key nor a token. Keys begin with slk_; tokens are three parts with dots between.";
}
