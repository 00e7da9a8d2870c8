import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { countUsage, flushUsage } from "./functions-usage.ts";

const CAM = parsePathName("cam/1");

function world() {
	const clock = new FakeClock();
	const behind = new MemoryStore({ clock });
	const errors: string[] = [];
	const log = { info: () => {}, error: (_: unknown, message: string) => void errors.push(message) };
	const counted = countUsage({ store: behind, clock, log });
	const written = async () => (await behind.list("usage/")).objects;
	return { clock, behind, errors, deps: { ...counted, clock }, ...counted, written };
}

describe("what an instance of the functions counts", () => {
	it("is written a minute after it began, and not at all by one that serves nobody", async () => {
		const { clock, deps, served, store, written } = world();
		for (let i = 0; i < 100; i++) {
			await store.list("nodes/");
			await flushUsage(deps);
			await clock.advance(60_000);
		}
		expect(await written()).toEqual([]);
		served.segment(CAM, 1_000);
		await store.get("streams/cam~1/media/1.m4s");
		await flushUsage(deps);
		const [object] = await written();
		expect(object?.key).toMatch(/^usage\/2026-01-01\/01\/functions-[0-9a-f-]{36}\.json$/);
		served.segment(CAM, 1_000);
		await flushUsage(deps);
		expect((await written())[0]?.etag).toBe(object?.etag);
	});

	it("holds an answer for two seconds at most, while the bucket does not take it", async () => {
		const { clock, behind, deps, served, errors } = world();
		behind.put = (_key, _body, options) =>
			new Promise((_resolve, reject) => {
				options?.signal?.addEventListener("abort", () => reject(new Error("aborted")));
			});
		served.playlist(CAM, 100);
		await clock.advance(60_000);
		let isDone = false;
		const flushing = flushUsage(deps).then(() => {
			isDone = true;
		});
		await clock.advance(1_999);
		expect(isDone).toBe(false);
		await clock.advance(1);
		await flushing;
		expect(errors).toHaveLength(1);
		expect(clock.pending).toBe(0);
	});
});
