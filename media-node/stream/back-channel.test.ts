import { describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import { GoneError } from "#shared/problem.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { H264_TRACK, recordingLogger } from "../../test/support/rtp-stream.ts";
import type { BackChannel } from "./back-channel.ts";
import { Stream } from "./stream.ts";

const FORMAT: BackChannel["format"] = {
	payloadType: 0,
	encoding: "PCMU/8000",
	fmtp: "",
	codec: { name: "Generic" },
	clockRate: 8000,
};

function world() {
	const stream = new Stream({
		path: parsePathName("cam01"),
		config: DEFAULT_PATH_CONFIG,
		clock: new FakeClock(),
		log: recordingLogger(),
	});
	const heard: string[] = [];
	const publish = (name: string | null) =>
		stream.publish(
			{
				path: stream.path,
				tracks: [H264_TRACK],
				publisher: { id: "p", protocol: "rtsp", remoteAddress: "127.0.0.1:554" },
				onEvicted: () => {},
				...(name === null
					? {}
					: {
							backChannel: {
								format: FORMAT,
								begin: () => void heard.push(`${name} begins`),
								write: ([byte]) => void heard.push(`${name} ${byte}`),
							},
						}),
			},
			() => undefined,
		);
	return { stream, heard, publish };
}

const SAID = Uint8Array.of(7);

describe("the back channel of a stream", () => {
	it("is there while a publisher listens, with its format", () => {
		const { stream, publish } = world();
		const reading = stream.reading();
		expect(reading.backChannel).toBeNull();
		const deaf = publish(null);
		expect(reading.backChannel).toBeNull();
		deaf.close();
		const publication = publish("cam");
		expect(reading.backChannel?.format).toEqual(FORMAT);
		publication.close();
		expect(reading.backChannel).toBeNull();
	});

	it("has one seat: the next reader talks when the one before has left", () => {
		const { stream, heard, publish } = world();
		publish("cam");
		const first = stream.backChannel?.talk();
		first?.write(SAID);
		expect(() => stream.backChannel?.talk()).toThrow(
			expect.objectContaining({ code: "path.conflict", message: expect.stringContaining("talks already") }),
		);
		first?.[Symbol.dispose]();
		first?.write(SAID);
		const second = stream.backChannel?.talk();
		// Leaving twice does not take the seat from another reader.
		first?.[Symbol.dispose]();
		second?.write(SAID);
		expect(() => stream.backChannel?.talk()).toThrow();
		expect(heard).toEqual(["cam begins", "cam 7", "cam begins", "cam 7"]);
	});

	it.each(["close", "evict"] as const)("ends with the publisher (%s), and not for the next one", (how) => {
		const { stream, heard, publish } = world();
		const publication = publish("one");
		const talk = stream.backChannel?.talk();
		expect(talk?.isOver).toBe(false);
		if (how === "close") publication.close();
		else stream.evict(new GoneError("session.closed", "Enough"));
		expect(talk?.isOver).toBe(true);
		publish("two");
		talk?.write(SAID);
		expect(heard).toEqual(["one begins"]);
		stream.backChannel?.talk().write(SAID);
		expect(heard).toEqual(["one begins", "two begins", "two 7"]);
	});
});
