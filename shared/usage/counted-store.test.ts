import { describe, expect, it } from "vitest";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { parsePathName } from "../path-name.ts";
import { eventKey, headKey, mediaKey, mediaPrefix, nodeHeartbeatKey, outboxKey, recordKey } from "../store/key.ts";
import { MemoryStore } from "../store/memory-store.ts";
import { countedStore, pathOfKey } from "./counted-store.ts";
import { addCounters, type Counters, noCounters } from "./counters.ts";
import { SHARED } from "./hour-document.ts";

const CAM = parsePathName("cam/1");

function world() {
	const counted = new Map<string, Counters>();
	const store = new MemoryStore({ clock: new FakeClock() });
	const add = (path: string, more: Partial<Counters>) => {
		const sum = counted.get(path) ?? noCounters();
		addCounters(sum, more);
		counted.set(path, sum);
	};
	return { store: countedStore(store, { add }), behind: store, counted };
}

describe("a store that counts", () => {
	it.each([
		[mediaKey(CAM, "1.m4s"), CAM],
		[recordKey(CAM, 7), CAM],
		[headKey(CAM), CAM],
		[mediaPrefix(CAM), CAM],
		[eventKey(CAM, 3), CAM],
		[outboxKey(CAM, 3), CAM],
		[nodeHeartbeatKey("a"), SHARED],
		["config/paths/cam~1.json", SHARED],
		["streams/", SHARED],
		["", SHARED],
		["streams//x", SHARED],
	])("knows whose %s is", (key, path) => {
		expect(pathOfKey(key)).toBe(path);
	});

	it("counts requests as buckets bill them, and bytes as they are", async () => {
		const { store, counted } = world();
		await store.put(mediaKey(CAM, "1.m4s"), new Uint8Array(1_000));
		const { etag } = await store.putIfAbsent(recordKey(CAM, 1), "x".repeat(100));
		await store.putIfMatch(recordKey(CAM, 1), "y".repeat(50), etag);
		await store.get(mediaKey(CAM, "1.m4s"));
		await store.head(mediaKey(CAM, "1.m4s"));
		await store.getIfChanged(recordKey(CAM, 1), etag);
		await store.list(mediaPrefix(CAM));
		await store.delete([mediaKey(CAM, "1.m4s")]);
		expect(counted.get(CAM)).toEqual({ ...noCounters(), puts: 4, gets: 3, bytesIn: 1_150, bytesKept: 1_000 });
	});

	it("counts what failed as well, and does what the store does", async () => {
		const { store, behind, counted } = world();
		await store.putIfAbsent(headKey(CAM), "1");
		await expect(store.putIfAbsent(headKey(CAM), "2")).rejects.toMatchObject({ code: "store.precondition" });
		expect(counted.get(CAM)?.puts).toBe(2);
		expect(await (await behind.get(headKey(CAM)))?.text()).toBe("1");
		expect(await (await store.get(headKey(CAM)))?.text()).toBe("1");
		expect((await store.list("streams/")).objects).toHaveLength(1);
		expect(counted.get(SHARED)?.puts).toBe(1);
	});
});
