/** Fragments of ICE, `application/trickle-ice-sdpfrag`: RFC 8840 §9 as RFC 9725 §4.3 uses it. Pure. */

import { ProtocolError } from "#shared/problem.ts";
import { type Candidate, candidateText, parseCandidate } from "./candidate.ts";
import { type IceCredentials, MAX_CANDIDATES, MAX_SECTIONS, MAX_WORD } from "./sdp.ts";

/** What a client finds, and what it is answered. All sections are bundled, so the candidates are of one transport. */
export type IceFragment = {
	/** `null` when it does not say. */
	readonly ice: IceCredentials | null;
	readonly iceOptions: readonly string[];
	readonly iceLite: boolean;
	/** The section that the candidates stand in: kind, and mid; `null` when there is none. */
	readonly section: { readonly kind: "audio" | "video" | "application"; readonly mid: string } | null;
	readonly candidates: readonly Candidate[];
	readonly endOfCandidates: boolean;
};

export const MAX_FRAGMENT_BYTES = 16 * 1024;
const MAX_LINES = 512;
const ICE_WORD = /^[A-Za-z0-9+/_=-]{1,256}$/;

/**
 * Reads a fragment. Candidates that cannot be used are left out, as RFC 9725 §4.3.2 says, and so are those of a section
 * after the first one with any.
 *
 * @throws ProtocolError `bytes.malformed`, `bytes.limit`
 */
export function parseIceFragment(text: string): IceFragment {
	if (text.length > MAX_FRAGMENT_BYTES) throw limit("bytes", MAX_FRAGMENT_BYTES);
	const lines = text.split(/\r\n|\n|\r/, MAX_LINES + 1).filter((line) => line !== "");
	if (lines.length > MAX_LINES) throw limit("lines", MAX_LINES);
	if (lines.length === 0) throw malformed("it is empty");
	let sections = 0;
	let kind: "audio" | "video" | "application" = "audio";
	let section: IceFragment["section"] = null;
	let ufrag: string | null = null;
	let pwd: string | null = null;
	let iceOptions: string[] = [];
	let iceLite = false;
	let endOfCandidates = false;
	const found: Candidate[] = [];
	for (const line of lines) {
		if (!/^[a-z]=/.test(line)) throw malformed(`the line ${JSON.stringify(line.slice(0, 40))} is not of the form x=…`);
		const [, name = "", value = ""] = /^a=([^:\s]+)(?::(.*))?$/.exec(line.trimEnd()) ?? [];
		if (line.startsWith("m=")) {
			sections += 1;
			if (sections > MAX_SECTIONS) throw limit("media sections", MAX_SECTIONS);
			kind = line.startsWith("m=video ") ? "video" : line.startsWith("m=audio ") ? "audio" : "application";
		} else if (name === "mid" && section === null) {
			section = { kind, mid: value.slice(0, MAX_WORD) };
		} else if (name === "ice-ufrag" || name === "ice-pwd") {
			if (!ICE_WORD.test(value)) throw malformed(`a=${name} is empty, too long or of other characters`);
			const before: string | null = name === "ice-ufrag" ? ufrag : pwd;
			// RFC 9143 §9: the sections of a bundle have one transport, and so the same credentials.
			if (before !== null && before !== value) throw malformed(`it has two different a=${name}`);
			if (name === "ice-ufrag") ufrag = value;
			else pwd = value;
		} else if (name === "ice-options") {
			iceOptions = value.slice(0, MAX_WORD).split(/ +/);
		} else if (name === "ice-lite") {
			iceLite = true;
		} else if (name === "end-of-candidates") {
			endOfCandidates = true;
		} else if (name === "candidate" && sections <= 1) {
			const candidate = parseCandidate(value);
			if (candidate === null) continue;
			if (found.length >= MAX_CANDIDATES) throw limit("candidates", MAX_CANDIDATES);
			found.push(candidate);
		}
	}
	if ((ufrag === null) !== (pwd === null)) throw malformed("a=ice-ufrag and a=ice-pwd belong together");
	const ice = ufrag !== null && pwd !== null ? { ufrag, pwd } : null;
	const candidates = found.filter((candidate) => ice === null || (candidate.ufrag ?? ice.ufrag) === ice.ufrag);
	return { ice, iceOptions, iceLite, section, candidates, endOfCandidates };
}

/** The text of a fragment, with CRLF. */
export function writeIceFragment(fragment: IceFragment): string {
	const { ice, iceOptions, iceLite, section, candidates, endOfCandidates } = fragment;
	const lines = [
		...(iceLite ? ["a=ice-lite"] : []),
		...(iceOptions.length === 0 ? [] : [`a=ice-options:${iceOptions.join(" ")}`]),
		...(ice === null ? [] : [`a=ice-ufrag:${ice.ufrag}`, `a=ice-pwd:${ice.pwd}`]),
		...(section === null ? [] : [mediaLine(section.kind), `a=mid:${section.mid}`]),
		...candidates.map((candidate) => `a=candidate:${candidateText(candidate)}`),
		...(endOfCandidates ? ["a=end-of-candidates"] : []),
	];
	return `${lines.join("\r\n")}\r\n`;
}

/**
 * Says whether a fragment asks for an ICE restart: it has credentials, and others than those the session has now.
 * RFC 9725 §4.3.3.
 */
export function isIceRestart({ ice }: IceFragment, current: IceCredentials): boolean {
	return ice !== null && (ice.ufrag !== current.ufrag || ice.pwd !== current.pwd);
}

/** A pseudo media line, RFC 8840 §9. */
function mediaLine(kind: "audio" | "video" | "application"): string {
	return kind === "application"
		? "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"
		: `m=${kind} 9 UDP/TLS/RTP/SAVPF 0`;
}

function malformed(why: string): ProtocolError {
	return new ProtocolError("bytes.malformed", `The fragment of ICE cannot be read: ${why}`);
}

function limit(what: string, maximum: number): ProtocolError {
	return new ProtocolError("bytes.limit", `The fragment of ICE has more than ${maximum} ${what}`);
}
