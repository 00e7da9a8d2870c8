import { describe, expect, it } from "vitest";
import { GoneError } from "#shared/problem.ts";
import { RecordedPublication } from "../../test/support/driver-run.ts";
import { settle } from "../../test/support/fake-clock.ts";
import { H264_TRACK } from "../../test/support/rtp-stream.ts";
import { HeldPublication, MAX_HELD_BYTES } from "./held-publication.ts";
import type { Publication } from "./publication.ts";

function held() {
	const { promise, resolve, reject } = Promise.withResolvers<Publication>();
	const failures: unknown[] = [];
	const publication = new HeldPublication({
		tracks: [H264_TRACK],
		opening: promise,
		onFailed: (error) => void failures.push(error),
	});
	return { publication, open: resolve, refuse: reject, failures, real: new RecordedPublication([H264_TRACK]) };
}

const unit = (frame: Uint8Array) => ({ pts: 1, dts: 1, wallclockMs: 1, randomAccess: true, frames: [frame] });

describe("a publication that is being opened", () => {
	it("hands on what came before, in order, as it was then, and what comes after at once", async () => {
		const { publication, open, real } = held();
		const bytes = Uint8Array.of(9, 1, 2, 9);
		publication.writePacket(0, bytes, 1, 2);
		publication.flush();
		publication.writeSenderReport(0, { wallclockMs: 5, rtpTime: 6 });
		publication.writeUnit(0, unit(bytes.subarray(1, 3)));
		bytes.fill(0);
		open(real);
		await settle();
		publication.writePacket(0, Uint8Array.of(7), 0, 1);
		publication.flush();
		expect(real.packets.map((packet) => [...packet.bytes])).toEqual([[1, 2], [7]]);
		expect(real.units.map(({ frames }) => [...(frames[0] ?? [])])).toEqual([[1, 2]]);
		expect(real.reports).toEqual([{ track: 0, wallclockMs: 5, rtpTime: 6 }]);
		expect(real.calls).toEqual(["packet", "flush", "report", "unit", "flush", "packet", "flush"]);
		expect(publication.tracks).toBe(real.tracks);
	});

	it("keeps no more than its bound, also of what is empty", async () => {
		const { publication, open, real } = held();
		const bytes = new Uint8Array(1024 * 1024);
		for (let i = 0; i < 9; i++) publication.writePacket(0, bytes, 0, bytes.length);
		for (let i = 0; i < MAX_HELD_BYTES / 8; i++) publication.flush();
		open(real);
		await settle();
		expect(real.packets).toHaveLength(7);
		expect(real.calls.length).toBeLessThan(1024 * 1024);
	});

	it("closes a stream that opens too late, with the reason", async () => {
		const { publication, open, real, failures } = held();
		const reason = new GoneError("session.closed", "over");
		publication.writeUnit(0, unit(Uint8Array.of(1)));
		publication.close(reason);
		publication.close();
		open(real);
		await settle();
		expect(real.calls).toEqual(["close"]);
		expect(real.closedWith).toBe(reason);
		expect(failures).toEqual([]);
	});

	it("tells once that the stream cannot be opened, unless nobody cares any more", async () => {
		const refusal = new GoneError("session.closed", "no");
		const first = held();
		first.refuse(refusal);
		await settle();
		first.publication.writePacket(0, Uint8Array.of(1), 0, 1);
		first.publication.close();
		expect(first.failures).toEqual([refusal]);
		const second = held();
		second.publication.close();
		second.refuse(refusal);
		await settle();
		expect(second.failures).toEqual([]);
	});
});
