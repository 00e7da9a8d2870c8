/** Reads session descriptions, RFC 8866. Pure. */

import { ProtocolError } from "#shared/problem.ts";
import { STATIC_PAYLOAD_TYPES } from "../../rtp/static-payload-type.ts";
import {
	EMPTY_SECTION,
	MAX_PAYLOAD_TYPES,
	MAX_SDP_BYTES,
	MAX_SDP_LINES,
	MAX_SECTIONS,
	MAX_WORD,
	MEDIA_KINDS,
	type MediaSection,
	type PayloadType,
	type Sdp,
} from "./sdp.ts";
import { isDirection, readSectionAttribute, type SectionDraft } from "./sdp-attribute.ts";

type Line = { readonly type: string; readonly value: string };
type Block = Line[];

/**
 * Reads an offer or an answer. Attributes that are not known, or that are malformed and optional, are left out.
 *
 * @throws ProtocolError `bytes.malformed` for what is no description or has a media line that cannot be read;
 * `bytes.limit` for what has more of something than a named maximum
 */
export function parseSdp(text: string): Sdp {
	if (text.length > MAX_SDP_BYTES) throw limit("bytes", MAX_SDP_BYTES);
	const blocks = blocksOf(text);
	const [session = [], ...media] = blocks;
	if (session[0]?.type !== "v" || session[0].value !== "0") throw malformed("it does not begin with v=0");
	const origin = /^\S+ (\d{1,20}) (\d{1,20}) /.exec(session.find(({ type }) => type === "o")?.value ?? "");
	if (origin === null) throw malformed("it has no line o= with an identifier and a version");
	if (media.length === 0) throw malformed("it has no media (no line m=)");
	const attributes = attributesOf(session);
	return {
		sessionId: origin[1] ?? "",
		sessionVersion: origin[2] ?? "",
		bundle: bundleOf(attributes),
		iceLite: attributes.some(({ name }) => name === "ice-lite"),
		extmapAllowMixed: attributes.some(({ name }) => name === "extmap-allow-mixed"),
		sections: media.map((block) => readSection(block, attributes)),
	};
}

export type Attribute = { readonly name: string; readonly value: string };

/** The lines of the session, and those of each section. */
function blocksOf(text: string): Block[] {
	const lines = text.split(/\r\n|\n|\r/, MAX_SDP_LINES + 1);
	if (lines.length > MAX_SDP_LINES) throw limit("lines", MAX_SDP_LINES);
	const blocks: Block[] = [[]];
	for (const line of lines) {
		if (line === "") continue;
		if (line[1] !== "=") throw malformed(`the line ${JSON.stringify(line.slice(0, 40))} is not of the form x=…`);
		const type = line[0] ?? "";
		if (type === "m") blocks.push([]);
		if (blocks.length > MAX_SECTIONS + 1) throw limit("media sections", MAX_SECTIONS);
		blocks.at(-1)?.push({ type, value: line.slice(2).trimEnd() });
	}
	return blocks;
}

/** `a=name` and `a=name:value`. */
function attributesOf(block: Block): Attribute[] {
	return block
		.filter(({ type }) => type === "a")
		.map(({ value }) => {
			const colon = value.indexOf(":");
			return colon === -1
				? { name: value, value: "" }
				: { name: value.slice(0, colon), value: value.slice(colon + 1).trim() };
		});
}

function bundleOf(attributes: readonly Attribute[]): string[] | null {
	const group = attributes.find(({ name, value }) => name === "group" && /^BUNDLE( |$)/.test(value));
	if (group === undefined) return null;
	const mids = group.value.split(/ +/, MAX_SECTIONS + 2).slice(1);
	if (mids.length > MAX_SECTIONS) throw limit("mids in a group BUNDLE", MAX_SECTIONS);
	return mids.filter((mid) => mid.length <= MAX_WORD);
}

/** What stands for the whole session where a section says nothing: RFC 8839 §4.4, RFC 8842 §5.1, RFC 8866 §6.7. */
const INHERITED = ["ice-ufrag", "ice-pwd", "ice-options", "fingerprint", "setup", "extmap"];

function readSection(block: Block, session: readonly Attribute[]): MediaSection {
	const [line, ...rest] = block;
	const { formats, ...media } = mediaLine(line?.value ?? "");
	const draft: SectionDraft = {
		...EMPTY_SECTION,
		...media,
		direction: session.map(({ name }) => name).find(isDirection) ?? "sendrecv",
		extensions: [],
		ssrcs: [],
		ssrcGroups: [],
		rids: [],
		fingerprints: [],
		candidates: [],
		maps: new Map(),
		parameters: new Map(),
		feedback: new Map(),
		ufrag: null,
		pwd: null,
	};
	const own = attributesOf(rest);
	const names = new Set(own.map(({ name }) => name));
	const inherited = session.filter(({ name }) => INHERITED.includes(name) && !names.has(name));
	for (const attribute of [...inherited, ...own]) readSectionAttribute(draft, attribute.name, attribute.value);
	const { maps, parameters, feedback, ufrag, pwd, ...section } = draft;
	const isRtp = /\bRTP\//.test(section.protocol);
	return {
		...section,
		ice: ufrag !== null && pwd !== null ? { ufrag, pwd } : null,
		formats: isRtp ? [] : formats.map((format) => format.slice(0, MAX_WORD)),
		payloadTypes: isRtp ? formats.map((format) => payloadTypeOf(format, draft)) : [],
	};
}

/** `<media> <port>[/<count>] <proto> <fmt> …`, RFC 8866 §5.14. */
function mediaLine(value: string): Pick<MediaSection, "kind" | "port" | "protocol"> & { formats: string[] } {
	const [media = "", portText = "", protocol = "", ...formats] = value.split(/ +/, MAX_PAYLOAD_TYPES + 4);
	const port = /^\d{1,5}(?:\/\d{1,5})?$/.test(portText) ? Number.parseInt(portText, 10) : Number.NaN;
	const kind = MEDIA_KINDS.find((known) => known === media);
	if (
		kind === undefined ||
		!(port <= 65_535) ||
		protocol === "" ||
		protocol.length > MAX_WORD ||
		formats.length === 0
	) {
		throw malformed(`the media line m=${JSON.stringify(value.slice(0, 60))} cannot be read`);
	}
	if (formats.length > MAX_PAYLOAD_TYPES) throw limit("payload types", MAX_PAYLOAD_TYPES);
	const isRtp = /\bRTP\//.test(protocol);
	if (isRtp && formats.some((format) => !/^\d{1,3}$/.test(format) || Number(format) > 127)) {
		throw malformed(`the media line m=${JSON.stringify(value.slice(0, 60))} has a payload type that is none`);
	}
	return { kind, port, protocol, formats: [...new Set(formats)] };
}

function payloadTypeOf(format: string, { maps, parameters, feedback }: SectionDraft): PayloadType {
	const payloadType = Number(format);
	return {
		payloadType,
		encoding: maps.get(payloadType) ?? STATIC_PAYLOAD_TYPES.get(payloadType) ?? "",
		fmtp: parameters.get(payloadType) ?? "",
		feedback: [...(feedback.get(payloadType) ?? []), ...(feedback.get("*") ?? [])],
	};
}

function malformed(why: string): ProtocolError {
	return new ProtocolError("bytes.malformed", `The session description cannot be read: ${why}`);
}

function limit(what: string, maximum: number): ProtocolError {
	return new ProtocolError("bytes.limit", `The session description has more than ${maximum} ${what}`);
}
