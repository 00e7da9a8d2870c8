/** WHIP, RFC 9725, and WHEP, draft-ietf-wish-whep: requests in, answers out, without a socket. */

import { randomUUID } from "node:crypto";
import { queryToken } from "#shared/access/query-token.ts";
import type { Clock } from "#shared/clock.ts";
import { InputError } from "#shared/problem.ts";
import type { AccessRequest } from "../../access/access.ts";
import type { HttpRequest } from "../../http/http-exchange.ts";
import type { Logger } from "../../log.ts";
import { parseSdp } from "../sdp/sdp-parse.ts";
import { writeSdp } from "../sdp/sdp-write.ts";
import { isIceRestart, parseIceFragment, writeIceFragment } from "../sdp/trickle.ts";
import type { WebRtcSession, WebRtcSessions } from "../webrtc-sessions.ts";
import type { Pages } from "./pages.ts";
import { clientServer, type IceServer, iceServerLink } from "./turn-credentials.ts";
import { EMPTY, failure, isFault, notAllowed, refusal, type WhipAnswer } from "./whip-answer.ts";
import { type Credentials, isMediaType, matchesEntityTag, type Target, targetOf } from "./whip-request.ts";

export type WhipRoutesOptions = {
	readonly sessions: WebRtcSessions;
	readonly pages: Pages;
	readonly iceServers: readonly IceServer[];
	/** Reads the header `Authorization`: Basic, Bearer, and Bearer of the form `user:password`. */
	readonly credentialsOf: (authorization: string) => Credentials;
	readonly clock: Clock;
	readonly log: Logger;
};

type EndpointTarget = Extract<Target, { kind: "endpoint" }>;
type SessionTarget = Extract<Target, { kind: "session" }>;
type Entry = { readonly session: WebRtcSession; readonly target: EndpointTarget };

const SDP = "application/sdp";
const FRAGMENT = "application/trickle-ice-sdpfrag";

export class WhipRoutes {
	readonly #options: WhipRoutesOptions;
	/** By the secret in their address, which only their client knows. */
	readonly #sessions = new Map<string, Entry>();

	constructor(options: WhipRoutesOptions) {
		this.#options = options;
	}

	/** How many sessions have an address. */
	get size(): number {
		return this.#sessions.size;
	}

	/** Answers a request. Never rejects. */
	async handle(request: HttpRequest): Promise<WhipAnswer> {
		try {
			return await this.#route(request);
		} catch (error) {
			if (isFault(error)) this.#options.log.error({ err: error }, "A request of WebRTC failed");
			return failure(error);
		}
	}

	#route(request: HttpRequest): Promise<WhipAnswer> | WhipAnswer {
		const target = targetOf(request.path);
		if (target === null) return refusal("http.not_found", "There is nothing at this address");
		switch (target.kind) {
			case "endpoint":
				return this.#atEndpoint(target, request);
			case "session":
				return this.#atSession(target, request);
			case "page":
				return isRead(request) ? this.#options.pages.answer(target.file) : notAllowed(request.method, "GET, HEAD");
			default: {
				if (!isRead(request)) return notAllowed(request.method, "GET, HEAD");
				const query = request.query === "" ? "" : `?${request.query}`;
				return { status: 307, headers: { location: `/${target.path}/${query}` }, body: "" };
			}
		}
	}

	#atEndpoint(target: EndpointTarget, request: HttpRequest): Promise<WhipAnswer> | WhipAnswer {
		switch (request.method) {
			case "POST":
				return this.#begin(target, request);
			case "OPTIONS":
				return this.#optionsOf(target, request);
			// RFC 9725 §4.1: there is no representation, and the answer has no content.
			case "GET":
			case "HEAD":
				return EMPTY;
			default:
				return notAllowed(request.method, "GET, HEAD, OPTIONS, POST");
		}
	}

	#atSession(target: SessionTarget, request: HttpRequest): Promise<WhipAnswer> | WhipAnswer {
		const entry = this.#sessions.get(target.secret);
		const isThere = entry?.target.path === target.path && entry.target.endpoint === target.endpoint;
		if (entry === undefined || !isThere) return refusal("session.closed", "There is no such session, or it has ended");
		switch (request.method) {
			case "PATCH":
				return this.#change(entry.session, request);
			case "DELETE":
				return this.#end(target.secret, entry.session);
			case "OPTIONS":
				return { ...EMPTY, headers: { "accept-patch": FRAGMENT, allow: "DELETE, GET, HEAD, OPTIONS, PATCH" } };
			case "GET":
			case "HEAD":
				return EMPTY;
			default:
				return notAllowed(request.method, "DELETE, GET, HEAD, OPTIONS, PATCH");
		}
	}

	/** RFC 9725 §4.2: an offer begins a session. */
	async #begin(target: EndpointTarget, request: HttpRequest): Promise<WhipAnswer> {
		if (!isMediaType(request.contentType, SDP)) throw mediaType(SDP);
		const { sessions, log } = this.#options;
		const offer = parseSdp(await request.body());
		const { signal } = request;
		const asked = { path: target.path, access: this.#accessOf(target, request), offer, signal };
		const session = await (target.endpoint === "whip" ? sessions.publish(asked) : sessions.read(asked));
		// Nobody has the address of the session, so nobody would end it.
		if (signal.aborted) {
			await session.close();
			return refusal("aborted", "The client has gone");
		}
		const secret = randomUUID();
		this.#sessions.set(secret, { session, target });
		session.closed
			.catch((error: unknown) => log.debug({ err: error, session: session.id }, "A session of WebRTC has failed"))
			.finally(() => this.#sessions.delete(secret));
		const headers = {
			"content-type": SDP,
			location: `/${target.path}/${target.endpoint}/${secret}`,
			etag: `"${session.etag}"`,
			id: session.id,
			"accept-patch": FRAGMENT,
			link: this.#links(),
		};
		// draft-ietf-wish-whep §4.2: an offer that cannot be met is answered by another one, which the viewer answers by PATCH.
		return { status: session.isCounterOffer ? 406 : 201, headers, body: writeSdp(session.answer) };
	}

	/** RFC 9725 §4.2 and §4.6: what browsers ask before a request is answered elsewhere. */
	async #optionsOf(target: EndpointTarget, request: HttpRequest): Promise<WhipAnswer> {
		await this.#options.sessions.authorize(this.#accessOf(target, request), request.signal);
		const allow = "GET, HEAD, OPTIONS, POST";
		return { ...EMPTY, headers: { "accept-post": SDP, allow, link: this.#links() } };
	}

	/** RFC 9725 §4.3: trickled candidates, or an ICE restart; or what answers a counter-offer. */
	async #change(session: WebRtcSession, request: HttpRequest): Promise<WhipAnswer> {
		if (session.isCounterOffer && isMediaType(request.contentType, SDP)) {
			session.accept(parseSdp(await request.body()));
			return EMPTY;
		}
		if (!isMediaType(request.contentType, FRAGMENT)) throw mediaType(FRAGMENT);
		if (request.ifMatch === "") {
			const detail = "Say which ICE session is meant, by the header If-Match";
			// RFC 6585 §3.
			return refusal("input.precondition", detail, { status: 428 });
		}
		const fragment = parseIceFragment(await request.body());
		// After the body, so that nothing comes between the question and the deed.
		if (!matchesEntityTag(request.ifMatch, session.etag)) {
			return refusal(
				"input.precondition",
				"The ICE session has changed since: the header If-Match has another entity tag",
			);
		}
		if (!isIceRestart(fragment, session.remoteIce)) {
			session.addCandidates(fragment);
			return EMPTY;
		}
		return this.#restart(session, fragment);
	}

	async #restart(session: WebRtcSession, fragment: Parameters<WebRtcSession["iceRestart"]>[0]): Promise<WhipAnswer> {
		try {
			const answer = await session.iceRestart(fragment);
			const headers = { "content-type": FRAGMENT, etag: `"${session.etag}"` };
			return { status: 200, headers, body: writeIceFragment(answer) };
		} catch (error) {
			const failed = failure(error);
			// RFC 9725 §4.3.1: a session that cannot be restarted.
			return failed.status === 406 ? { ...failed, status: 422 } : Promise.reject(error);
		}
	}

	/** RFC 9725 §4.2: entity tags do not matter. */
	async #end(secret: string, session: WebRtcSession): Promise<WhipAnswer> {
		this.#sessions.delete(secret);
		await session.close();
		return { status: 200, headers: {}, body: "" };
	}

	#accessOf({ endpoint, path }: EndpointTarget, request: HttpRequest): AccessRequest {
		const { ip, query, userAgent, authorization } = request;
		const shown = this.#options.credentialsOf(authorization);
		const token = shown.token === "" ? queryToken(query) : shown.token;
		const action = endpoint === "whip" ? "publish" : "read";
		return { action, path, protocol: "webrtc", ip, ...shown, token, id: "", query, userAgent };
	}

	/** Each client gets TURN credentials of its own. */
	#links(): string[] {
		const { iceServers, clock } = this.#options;
		return iceServers.map((server) => iceServerLink(clientServer(server, clock.now(), randomUUID())));
	}
}

function isRead({ method }: HttpRequest): boolean {
	return method === "GET" || method === "HEAD";
}

function mediaType(expected: string): InputError {
	return new InputError("input.unsupported_media_type", `Send ${expected} (the header Content-Type)`);
}
