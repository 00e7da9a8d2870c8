/** The methods of a session that publishes: ANNOUNCE, SETUP, RECORD. RFC 2326 §10.3, §10.4, §10.11. */

import { abortedError } from "#shared/clock.ts";
import { GoneError, ProtocolError } from "#shared/problem.ts";
import type { RtspRequest, RtspResponse } from "./message.ts";
import { Publisher } from "./publisher.ts";
import { announcedIndexOf, parseRtspUrl, pathOf } from "./rtsp-url.ts";
import { parseAnnouncement } from "./sdp.ts";
import type { SessionContext } from "./session-context.ts";
import { agreeOn, openerOf } from "./session-setup.ts";
import type { Announced } from "./session-state.ts";
import { writeTransport } from "./transport.ts";

export async function announce(session: SessionContext, request: RtspRequest): Promise<RtspResponse> {
	session.expectState("init");
	if (!/^application\/sdp\b/i.test(request.headers.get("content-type") ?? "application/sdp")) {
		throw new ProtocolError("media.unsupported", "The announcement is not application/sdp");
	}
	const url = parseRtspUrl(request.url);
	const path = pathOf(url);
	await session.authorize("publish", path, request, url);
	const media = parseAnnouncement(request.body);
	session.state = { kind: "announced", path, query: url.query.toString(), media, setups: new Map() };
	return { status: 200 };
}

export function setupRecord(session: SessionContext, request: RtspRequest, { media, setups }: Announced): RtspResponse {
	const index = announcedIndexOf(
		request.url,
		media.map(({ control }) => control),
	);
	if (index === -1) throw new GoneError("stream.not_found", "No announced media has this control URL");
	const transports = new Map([...setups].map(([at, setup]) => [at, setup.transport] as const));
	const transport = agreeOn(session, request, "record", index, transports, null);
	if (transport.protocol === "multicast") throw new TypeError("A publisher cannot have agreed on multicast");
	const { opener, headers } = openerOf(session, request, transport, media[index]?.keyManagement ?? null);
	setups.set(index, { transport, opener });
	return { status: 200, headers: { Transport: writeTransport(transport, "record", null), ...headers } };
}

export async function record(session: SessionContext): Promise<RtspResponse> {
	const announced = session.expectState("announced");
	const { path, query, media, setups } = announced;
	const chosen = media.flatMap(({ track }, index) => {
		const setup = setups.get(index);
		return setup === undefined ? [] : [{ track, ...setup }];
	});
	const [first] = chosen;
	if (first === undefined) throw new ProtocolError("rtsp.state", "No media was set up before RECORD");
	const type = session.env.isSecure ? "rtspsSession" : "rtspSession";
	const publication = await session.env.table.publish(
		{
			path,
			tracks: chosen.map(({ track }) => track),
			publisher: {
				id: session.id,
				protocol: "rtsp",
				type,
				remoteAddress: session.remoteAddress,
				query,
			},
			onEvicted: (reason) => session.close(reason),
		},
		session.signal,
	);
	if (session.isClosed) {
		publication.close();
		throw abortedError(session.signal);
	}
	try {
		const publisher = new Publisher({
			...session.env,
			peer: session.peer,
			publication,
			transports: chosen.map(({ transport }) => transport),
			openers: chosen.map(({ opener }) => opener),
			onEnd: (reason) => session.close(reason),
		});
		session.state = { kind: "recording", path, publisher, transport: first.transport, announced };
	} catch (error) {
		publication.close();
		throw error;
	}
	session.log.info({ path, tracks: publication.tracks.map(({ codec }) => codec.name) }, "A publisher came");
	return { status: 200, headers: { Range: "npt=now-" } };
}
