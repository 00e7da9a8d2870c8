/** Finding out what a source has: OPTIONS and DESCRIBE, wherever it sends us. RFC 2326 §10.1, §10.2, §11.3. */

import { ProtocolError } from "#shared/problem.ts";
import { askRequiring } from "./client-back-channel.ts";
import { ClientConversation, type ConversationOptions, refusal } from "./client-conversation.ts";
import { parseSourceDescription, type SourceDescription } from "./source-description.ts";
import { baseUrlOf, controlUrlOf, redirectedUrl, type SourceUrl } from "./source-url.ts";

const MAX_REDIRECTS = 5;
const REDIRECTS = [301, 302, 303, 305, 307, 308];

export type DescribedSource = {
	/** The caller ends it. */
	readonly conversation: ClientConversation;
	readonly description: SourceDescription;
	/** What the controls of media stand on. */
	readonly baseUrl: string;
	/** Where PLAY and what keeps the session alive go. */
	readonly aggregateUrl: string;
	/** The methods that the server says it knows, in capitals. */
	readonly methods: readonly string[];
};

/**
 * Connects, and asks for the description; with `wantsBackChannel` for that of the back channel, too.
 * @throws what {@link ClientConversation.open}, {@link ClientConversation.ask}, {@link refusal} and
 * {@link parseSourceDescription} have; ProtocolError `rtsp.malformed` for redirects without end
 */
export async function describeSource(
	start: SourceUrl,
	options: ConversationOptions,
	wantsBackChannel = false,
): Promise<DescribedSource> {
	let url = start;
	for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
		const conversation = await ClientConversation.open(url, options);
		let isWanted = false;
		try {
			const result = await describe(conversation, wantsBackChannel);
			if ("description" in result) {
				isWanted = true;
				return result;
			}
			url = result;
		} finally {
			if (!isWanted) await conversation[Symbol.asyncDispose]();
		}
	}
	throw new ProtocolError(
		"rtsp.malformed",
		`The source sends us from one URL to the next, more than ${MAX_REDIRECTS} times`,
	);
}

/** The description, or where it is to be found. */
async function describe(
	conversation: ClientConversation,
	wantsBackChannel: boolean,
): Promise<DescribedSource | SourceUrl> {
	const { requestUrl } = conversation.url;
	// Some cameras refuse it, which tells nothing about the rest.
	const options = await conversation.ask({ method: "OPTIONS", url: requestUrl });
	const publicMethods = options.status === 200 ? (options.headers.get("public") ?? "") : "";
	const request = { method: "DESCRIBE", url: requestUrl, headers: { Accept: "application/sdp" } };
	const { response, isRequired } = wantsBackChannel
		? await askRequiring(conversation, request)
		: { response: await conversation.ask(request), isRequired: false };
	const location = response.headers.get("location");
	if (REDIRECTS.includes(response.status) && location !== undefined) {
		const to = redirectedUrl(conversation.url, location);
		if (to !== null) return to;
		throw new ProtocolError("rtsp.malformed", "The source redirects to what is no RTSP URL, or not as secure");
	}
	if (response.status !== 200) throw refusal("DESCRIBE", response);
	const description = parseSourceDescription(response.body, conversation.url.isTls, isRequired);
	const { headers } = response;
	const baseUrl = baseUrlOf(
		requestUrl,
		{ contentBase: headers.get("content-base"), contentLocation: headers.get("content-location") },
		description.control,
	);
	return {
		conversation,
		description,
		baseUrl,
		aggregateUrl: controlUrlOf(baseUrl, description.control),
		methods: publicMethods.toUpperCase().split(/[\s,]+/),
	};
}
