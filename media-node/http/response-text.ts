/** The body of an answer as UTF-8; `null` when it is larger than `maxBytes`, and is read no further. */
export async function responseText(response: Response, maxBytes: number): Promise<string | null> {
	const decoder = new TextDecoder();
	let text = "";
	let length = 0;
	for await (const chunk of response.body ?? []) {
		length += chunk.length;
		if (length > maxBytes) return null;
		text += decoder.decode(chunk, { stream: true });
	}
	return text + decoder.decode();
}
