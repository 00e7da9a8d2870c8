/** ICE candidates as text, RFC 8839 §5.1 and RFC 6544 §4.5. Pure. */

/** Also names of hosts: browsers hide their addresses behind names of mDNS. */
export type Candidate = {
	/** Up to 32 characters. */
	readonly foundation: string;
	/** 1: RTP, and all when RTCP is multiplexed. */
	readonly component: number;
	readonly protocol: "udp" | "tcp";
	/** 1 to 2³¹ − 1. */
	readonly priority: number;
	/** An IP address or a name. */
	readonly address: string;
	/** 0 to 65535. */
	readonly port: number;
	readonly type: "host" | "srflx" | "prflx" | "relay";
	/** `null` unless the protocol is `tcp`. */
	readonly tcpType: "active" | "passive" | "so" | null;
	/** The ICE user name that it is of; `null` when it does not say. */
	readonly ufrag: string | null;
};

const MAX_CANDIDATE_TEXT = 1_024;
const MAX_PRIORITY = 0x7fff_ffff;
const LINE =
	/^([A-Za-z0-9+/]{1,32}) (\d{1,3}) (\S{1,16}) (\d{1,10}) ([A-Za-z0-9.:_%-]{1,255}) (\d{1,5}) typ (\S{1,16})((?: \S+)*)$/;

/** What stands after `a=candidate:`; `null` for what is malformed or of a transport that is not known. Never throws. */
export function parseCandidate(text: string): Candidate | null {
	if (text.length > MAX_CANDIDATE_TEXT) return null;
	const match = LINE.exec(text.trim());
	if (match === null) return null;
	const [, foundation = "", component, transport = "", priority, address = "", port, kind = "", rest = ""] = match;
	const protocol = transport.toLowerCase();
	const type = kind.toLowerCase();
	if (protocol !== "udp" && protocol !== "tcp") return null;
	if (type !== "host" && type !== "srflx" && type !== "prflx" && type !== "relay") return null;
	const extensions = extensionsOf(rest);
	const tcpType = extensions.get("tcptype") ?? null;
	if (tcpType !== null && tcpType !== "active" && tcpType !== "passive" && tcpType !== "so") return null;
	const candidate: Candidate = {
		foundation,
		component: Number(component),
		protocol,
		priority: Number(priority),
		address,
		port: Number(port),
		type,
		tcpType,
		ufrag: extensions.get("ufrag") ?? null,
	};
	const isInRange =
		candidate.component >= 1 &&
		candidate.component <= 256 &&
		candidate.priority >= 1 &&
		candidate.priority <= MAX_PRIORITY &&
		candidate.port <= 65_535 &&
		(protocol === "tcp") === (tcpType !== null);
	return isInRange ? candidate : null;
}

/** What stands after `a=candidate:`. */
export function candidateText(candidate: Candidate): string {
	const { foundation, component, protocol, priority, address, port, type, tcpType, ufrag } = candidate;
	const line = `${foundation} ${component} ${protocol} ${priority} ${address} ${port} typ ${type}`;
	return line + (tcpType === null ? "" : ` tcptype ${tcpType}`) + (ufrag === null ? "" : ` ufrag ${ufrag}`);
}

/** Pairs of names and values; a related address (`raddr`, `rport`) is among them. */
function extensionsOf(text: string): ReadonlyMap<string, string> {
	const words = text.trim().split(" ");
	const extensions = new Map<string, string>();
	for (let index = 0; index + 1 < words.length; index += 2) {
		extensions.set((words[index] ?? "").toLowerCase(), words[index + 1] ?? "");
	}
	return extensions;
}
