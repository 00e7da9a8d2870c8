/** Reads the attributes of one section of a session description. Pure. */

import { ProtocolError } from "#shared/problem.ts";
import { type Candidate, parseCandidate } from "./candidate.ts";
import {
	type Direction,
	type Fingerprint,
	type HeaderExtension,
	MAX_CANDIDATES,
	MAX_EXTENSIONS,
	MAX_FEEDBACK,
	MAX_FINGERPRINTS,
	MAX_PAYLOAD_TYPES,
	MAX_RIDS,
	MAX_SSRC_GROUPS,
	MAX_SSRCS,
	MAX_WORD,
	type MediaSection,
	type Rid,
	type Simulcast,
	type Ssrc,
	type SsrcGroup,
} from "./sdp.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A section while its lines are read. */
export type SectionDraft = Writable<Omit<MediaSection, "ice" | "payloadTypes">> & {
	extensions: HeaderExtension[];
	ssrcs: Ssrc[];
	ssrcGroups: SsrcGroup[];
	rids: Rid[];
	fingerprints: Fingerprint[];
	candidates: Candidate[];
	/** By payload type; `*` is every one. */
	readonly maps: Map<number, string>;
	readonly parameters: Map<number, string>;
	readonly feedback: Map<number | "*", string[]>;
	ufrag: string | null;
	pwd: string | null;
};

/** What carries a whole list of parameter sets fits. */
const MAX_FMTP = 8_192;
const MAX_ICE_OPTIONS = 16;
const ICE_WORD = /^[A-Za-z0-9+/_=-]{1,256}$/;

/** Says whether `text` is a direction, RFC 8866 §6.7. */
export function isDirection(text: string): text is Direction {
	return text === "sendrecv" || text === "sendonly" || text === "recvonly" || text === "inactive";
}

/** Puts what an attribute says into the draft; what is not known or malformed says nothing. @throws `bytes.limit` */
export function readSectionAttribute(draft: SectionDraft, name: string, value: string): void {
	switch (name) {
		case "sendrecv":
		case "sendonly":
		case "recvonly":
		case "inactive":
			draft.direction = name;
			return;
		case "mid":
			if (isWord(value)) draft.mid = value;
			return;
		case "msid":
			if (value.length <= 2 * MAX_WORD) draft.msid = value;
			return;
		case "ice-ufrag":
			if (ICE_WORD.test(value)) draft.ufrag = value;
			return;
		case "ice-pwd":
			if (ICE_WORD.test(value)) draft.pwd = value;
			return;
		case "ice-options":
			draft.iceOptions = value.split(/ +/, MAX_ICE_OPTIONS).filter(isWord);
			return;
		case "sctp-port":
			draft.sctpPort = /^\d{1,5}$/.test(value) ? Number(value) : null;
			return;
		case "max-message-size":
			draft.maxMessageSize = /^\d{1,12}$/.test(value) ? Number(value) : null;
			return;
		case "rtpmap":
			readMap(draft.maps, value, MAX_WORD);
			return;
		case "fmtp":
			readMap(draft.parameters, value, MAX_FMTP);
			return;
		default:
			readFlag(draft, name);
			LIST_READERS.get(name)?.(draft, value);
	}
}

function readFlag(draft: SectionDraft, name: string): void {
	if (name === "bundle-only") draft.bundleOnly = true;
	else if (name === "rtcp-mux") draft.rtcpMux = true;
	else if (name === "rtcp-mux-only") draft.rtcpMuxOnly = true;
	else if (name === "rtcp-rsize") draft.rtcpReducedSize = true;
	else if (name === "end-of-candidates") draft.endOfCandidates = true;
}

const LIST_READERS: ReadonlyMap<string, (draft: SectionDraft, value: string) => void> = new Map([
	["rtcp-fb", readFeedback],
	["extmap", readExtension],
	["ssrc", readSsrc],
	["ssrc-group", readSsrcGroup],
	["rid", readRid],
	["simulcast", readSimulcast],
	["fingerprint", readFingerprint],
	["setup", readSetup],
	["candidate", readCandidate],
]);

/** `<payload type> <text>`; the first counts. */
function readMap(map: Map<number, string>, value: string, maxLength: number): void {
	const [, type, text = ""] = /^(\d{1,3}) +(.*)$/.exec(value) ?? [];
	if (type === undefined || Number(type) > 127 || text.length > maxLength || map.has(Number(type))) return;
	if (map.size >= MAX_PAYLOAD_TYPES) throw limit("payload types", MAX_PAYLOAD_TYPES);
	map.set(Number(type), text.trim());
}

function readFeedback({ feedback }: SectionDraft, value: string): void {
	const [, type, text = ""] = /^(\d{1,3}|\*) +(.*)$/.exec(value) ?? [];
	if (type === undefined || text.length > MAX_WORD) return;
	const key = type === "*" ? type : Number(type);
	const list = feedback.get(key) ?? [];
	if (list.length >= MAX_FEEDBACK) throw limit("lines rtcp-fb of a payload type", MAX_FEEDBACK);
	feedback.set(key, [...list, text.trim()]);
	if (feedback.size > 2 * MAX_PAYLOAD_TYPES) throw limit("payload types with rtcp-fb", 2 * MAX_PAYLOAD_TYPES);
}

function readExtension({ extensions }: SectionDraft, value: string): void {
	const [, id, direction, uri = ""] = /^(\d{1,3})(?:\/([a-z]+))? +(\S+)/.exec(value) ?? [];
	if (id === undefined || Number(id) < 1 || Number(id) > 255 || uri.length > MAX_WORD) return;
	if (direction !== undefined && !isDirection(direction)) return;
	add(extensions, { id: Number(id), uri, direction: direction ?? null }, MAX_EXTENSIONS, "header extensions");
}

/** RFC 5576 §4.1: several lines, each with something about the same SSRC. */
function readSsrc({ ssrcs }: SectionDraft, value: string): void {
	const [, number, about = ""] = /^(\d{1,10})(?: +(.*))?$/.exec(value) ?? [];
	const ssrc = Number(number);
	if (number === undefined || ssrc > 0xffff_ffff || about.length > 3 * MAX_WORD) return;
	const at = ssrcs.findIndex((known) => known.ssrc === ssrc);
	const before = ssrcs[at] ?? { ssrc, cname: "", msid: null };
	const cname = about.startsWith("cname:") ? about.slice(6) : before.cname;
	const msid = about.startsWith("msid:") ? about.slice(5) : before.msid;
	if (at === -1) add(ssrcs, { ssrc, cname, msid }, MAX_SSRCS, "SSRCs");
	else ssrcs[at] = { ssrc, cname, msid };
}

function readSsrcGroup({ ssrcGroups }: SectionDraft, value: string): void {
	const [semantics = "", ...list] = value.split(/ +/, MAX_SSRCS + 2);
	if (list.length > MAX_SSRCS) throw limit("SSRCs", MAX_SSRCS);
	const ssrcs = list.filter((text) => /^\d{1,10}$/.test(text)).map(Number);
	if (!isWord(semantics) || ssrcs.length === 0 || ssrcs.length < list.length) return;
	if (ssrcs.some((ssrc) => ssrc > 0xffff_ffff)) return;
	add(ssrcGroups, { semantics, ssrcs }, MAX_SSRC_GROUPS, "groups of SSRCs");
}

/** RFC 8851 §4. What restricts a layer is not asked. */
function readRid({ rids }: SectionDraft, value: string): void {
	const [, id = "", direction] = /^([A-Za-z0-9_-]{1,255}) (send|recv)( |$)/.exec(value) ?? [];
	if (direction !== "send" && direction !== "recv") return;
	if (rids.some((rid) => rid.id === id)) return;
	add(rids, { id, direction }, MAX_RIDS, "layers");
}

/** RFC 8853 §5.1: `send 1;~2,3 recv 4`. */
function readSimulcast(draft: SectionDraft, value: string): void {
	const simulcast: Writable<Simulcast> = { send: [], recv: [] };
	const words = value.split(/ +/, 5);
	for (let index = 0; index + 1 < words.length && index < 4; index += 2) {
		const direction = words[index];
		if (direction !== "send" && direction !== "recv") return;
		const layers = (words[index + 1] ?? "").split(";", MAX_RIDS + 1);
		if (layers.length > MAX_RIDS) throw limit("layers", MAX_RIDS);
		simulcast[direction] = layers.map((layer) => layer.split(",", MAX_RIDS).map((id) => id.replace(/^~/, "")));
	}
	const isValid = [...simulcast.send, ...simulcast.recv].flat().every((id) => /^[A-Za-z0-9_-]{1,255}$/.test(id));
	if (isValid) draft.simulcast = simulcast;
}

/** RFC 8122 §5. */
function readFingerprint({ fingerprints }: SectionDraft, value: string): void {
	const [, algorithm = "", hash] =
		/^([A-Za-z0-9-]{1,16}) +([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){15,63})$/.exec(value) ?? [];
	if (hash === undefined) return;
	const fingerprint = { algorithm: algorithm.toLowerCase(), value: hash.toUpperCase() };
	add(fingerprints, fingerprint, MAX_FINGERPRINTS, "fingerprints");
}

function readSetup(draft: SectionDraft, value: string): void {
	if (value === "active" || value === "passive" || value === "actpass" || value === "holdconn") draft.setup = value;
}

function readCandidate({ candidates }: SectionDraft, value: string): void {
	const candidate = parseCandidate(value);
	if (candidate !== null) add(candidates, candidate, MAX_CANDIDATES, "candidates");
}

function add<T>(list: T[], item: T, maximum: number, what: string): void {
	if (list.length >= maximum) throw limit(what, maximum);
	list.push(item);
}

function isWord(text: string): boolean {
	return text !== "" && text.length <= MAX_WORD && !/\s/.test(text);
}

function limit(what: string, maximum: number): ProtocolError {
	return new ProtocolError("bytes.limit", `A section of the session description has more than ${maximum} ${what}`);
}
