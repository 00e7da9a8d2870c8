/**
 * CloudFront Function on viewer requests (cloudfront-js-2.0: ES 5.1 and some of ES 6 to 12, without for-of, spread and
 * destructuring; at most 10 KB). It verifies an edge token in the address, as shared/access/edge-token.ts does, and takes
 * it out, so that all viewers share what CloudFront has cached. Everything else passes: the origin verifies it.
 *
 * shared/access/edge-function.ts puts the settings in: keys, [{kid, secret}]; playlists, "shared", or "origin" to have the origin verify
 * playlists, which knows what was revoked.
 */
// biome-ignore lint/style/useNodejsImportProtocol: This is not Node.js; its modules have no protocol.
const crypto = require("crypto");

const SETTINGS = __SETTINGS__;
const PROOF_HEADER = "x-sluice-edge";
const TOKEN = /^e1\.([A-Za-z0-9_-]{1,4000})\.([A-Za-z0-9_-]{43})$/;
const PARAMETERS = ["_HLS_msn", "_HLS_part", "_HLS_skip", "start", "end"];
const VALUE = /^[0-9A-Za-z:.+-]{1,40}$/;
const IPV4 = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;

// biome-ignore lint/correctness/noUnusedVariables: The runtime calls it.
function handler(event) {
	const request = event.request;
	// Nobody proves anything from outside.
	delete request.headers[PROOF_HEADER];
	const parts = request.uri.split("/");
	if (parts[1].indexOf("e1.") !== 0 || (request.method !== "GET" && request.method !== "HEAD")) return request;
	const token = TOKEN.exec(parts[1]);
	const claims = token === null ? null : claimsOf(token[1]);
	const key = claims === null ? null : keyOf(claims.k);
	if (key === null || !isSame(mac(key, `e1.${token[1]}`), token[2])) return denied(401, "access.token_invalid");
	if (claims.x * 1000 <= Date.now()) return denied(401, "access.token_expired");
	const path = parts.slice(2, -1).join("/");
	const file = parts[parts.length - 1];
	if (claims.p.indexOf(path) === -1) return denied(403, "access.forbidden");
	if (!isWithinLimits(claims, event.viewer.ip, request.headers)) return denied(403, "access.token_limit");
	if (SETTINGS.playlists === "origin" && /\.m3u8$/.test(file)) return request;
	request.uri = `/edge/${path}/${file}`;
	const query = /\.m3u8$/.test(file) ? queryOf(request.querystring) : {};
	if (query === null) return denied(400, "input.invalid");
	request.querystring = query;
	request.headers[PROOF_HEADER] = { value: mac(key, `proof ${request.uri}`) };
	return request;
}

/** What a playlist may ask for, in its normal form; null when a value cannot be one. As functions/playback-query.ts. */
function queryOf(asked) {
	const query = {};
	for (let i = 0; i < PARAMETERS.length; i++) {
		const parameter = asked[PARAMETERS[i]];
		if (!parameter) continue;
		// Of several values, the first.
		const raw = parameter.multiValue ? parameter.multiValue[0].value : parameter.value;
		const value = raw.replace(/%3a/gi, ":").replace(/%2b|%20/gi, "+");
		if (!VALUE.test(value)) return null;
		query[PARAMETERS[i]] = { value: value.replace(/\+/g, "%2B") };
	}
	return query;
}

function claimsOf(text) {
	try {
		const claims = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
		return typeof claims === "object" ? claims : null;
	} catch (_) {
		// JSON.parse has no other way to say no; null is refused.
		return null;
	}
}

function keyOf(kid) {
	for (let i = 0; i < SETTINGS.keys.length; i++) if (SETTINGS.keys[i].kid === kid) return SETTINGS.keys[i].secret;
	return null;
}

function mac(key, text) {
	return crypto.createHmac("sha256", key).update(text).digest("base64url");
}

/** In a time that depends on their lengths alone. */
function isSame(a, b) {
	let difference = a.length ^ b.length;
	for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i % b.length);
	return difference === 0;
}

function isWithinLimits(claims, ip, headers) {
	if (claims.a && !some(claims.a, ip, isInRange)) return false;
	const country = headers["cloudfront-viewer-country"];
	if (claims.c && (!country || claims.c.indexOf(country.value) === -1)) return false;
	if (!claims.r) return true;
	const referrer = /^https?:\/\/([^/?#@\s]+)(?:[/?#]|$)/i.exec(headers.referer ? headers.referer.value : "");
	return referrer !== null && some(claims.r, referrer[1].toLowerCase(), isHost);
}

function some(list, value, test) {
	for (let i = 0; i < list.length; i++) if (test(list[i], value)) return true;
	return false;
}

function isHost(wanted, host) {
	if (wanted.indexOf("*.") !== 0) return wanted === host;
	const end = wanted.slice(1);
	return host.length > end.length && host.slice(-end.length) === end;
}

function isInRange(range, ip) {
	const parts = range.split("/");
	const wanted = bytesOf(parts[0]);
	const asked = bytesOf(ip);
	if (wanted === null || asked === null || wanted.length !== asked.length) return false;
	let bits = parts.length === 1 ? wanted.length * 8 : Number(parts[1]);
	// A mapped network counts from the front of its IPv6 form.
	if (parts.length > 1 && wanted.length === 4 && range.indexOf(":") !== -1) bits -= 96;
	for (let i = 0; i < wanted.length; i++) {
		const left = Math.min(8, Math.max(0, bits - i * 8));
		if (((wanted[i] ^ asked[i]) & (255 << (8 - left)) & 255) !== 0) return false;
	}
	return true;
}

/** The four or sixteen bytes of an address, null for none. An IPv4 address in its IPv6 form gives four. */
function bytesOf(text) {
	if (IPV4.test(text)) return text.split(".").map(Number);
	if (text.length > 45 || !/^[0-9a-fA-F:.]+$/.test(text)) return null;
	const halves = text.split("::");
	if (halves.length > 2) return null;
	const head = groupsOf(halves[0]);
	const tail = halves.length === 1 ? [] : groupsOf(halves[1]);
	if (head === null || tail === null) return null;
	let missing = 16 - head.length - tail.length;
	if (halves.length === 1 ? missing !== 0 : missing < 2) return null;
	const zeros = [];
	for (; missing > 0; missing--) zeros.push(0);
	const bytes = head.concat(zeros, tail);
	for (let i = 0; i < 12; i++) if (bytes[i] !== (i < 10 ? 0 : 255)) return bytes;
	return bytes.slice(12);
}

function groupsOf(text) {
	let bytes = [];
	if (text === "") return bytes;
	const groups = text.split(":");
	for (let i = 0; i < groups.length; i++) {
		if (i === groups.length - 1 && IPV4.test(groups[i])) {
			bytes = bytes.concat(groups[i].split(".").map(Number));
		} else if (/^[0-9a-fA-F]{1,4}$/.test(groups[i])) {
			const value = parseInt(groups[i], 16);
			bytes.push(value >> 8, value & 255);
		} else {
			return null;
		}
	}
	return bytes;
}

function denied(status, code) {
	const headers = {
		"content-type": { value: "application/problem+json" },
		"cache-control": { value: "no-store" },
		"access-control-allow-origin": { value: "*" },
		"x-content-type-options": { value: "nosniff" },
		"referrer-policy": { value: "no-referrer" },
	};
	if (status === 401) headers["www-authenticate"] = { value: 'Bearer realm="sluice"' };
	const problem = {
		type: `urn:sluice:problem:${code}`,
		status: status,
		detail: status === 400 ? "The query is not valid" : "Ask for a new address",
		code: code,
	};
	return {
		statusCode: status,
		statusDescription: { 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden" }[status],
		headers: headers,
		body: { encoding: "text", data: JSON.stringify(problem) },
	};
}
