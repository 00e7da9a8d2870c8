/** What an error of hls.js means to who watches, and what is to be done. Pure. */

export type HlsErrorFacts = {
	readonly type: string;
	readonly details: string;
	readonly fatal: boolean;
	/** Of the answer, where there was one. */
	readonly status: number | null;
};

export type HlsFault = {
	readonly text: string;
	/** `renew`: with another token. `recover`: by decoding anew. `retry`: by loading anew, after a while. `stop`: nothing helps. */
	readonly act: "renew" | "recover" | "retry" | "stop";
};

/** The fault in an error; `null` for one that hls.js mends by itself. */
export function hlsFaultOf({ type, details, fatal, status }: HlsErrorFacts): HlsFault | null {
	if (status === 401 || status === 403) return { text: "The token is not, or no longer, let in.", act: "renew" };
	if (!fatal) return null;
	if (details === "manifestIncompatibleCodecsError" || details === "bufferIncompatibleCodecsError") {
		return {
			text: "This browser does not play the stream's codecs. Try WebRTC, or publish H.264 and AAC.",
			act: "stop",
		};
	}
	if (type === "mediaError") return { text: "The picture cannot be decoded; it is begun anew.", act: "recover" };
	if (status === 404 || status === 410) return { text: "There is nothing to play here yet.", act: "retry" };
	if (status === 429) return { text: "Too many requests.", act: "retry" };
	if (status !== null && status >= 500) return { text: `The server cannot answer (${status}).`, act: "retry" };
	if (details === "manifestParsingError" || details === "levelParsingError" || details === "levelEmptyError") {
		return { text: "The playlist has nothing that can be played yet.", act: "retry" };
	}
	if (type === "networkError") return { text: "The server cannot be reached.", act: "retry" };
	return { text: `Playback failed (${details}).`, act: "retry" };
}
