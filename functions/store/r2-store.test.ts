import { describe, expect, it } from "vitest";
import type { R2Bucket } from "./r2-bucket.ts";
import { R2Store } from "./r2-store.ts";

/** A binding of which only what a test gives can be called. */
function storeOn(bucket: Partial<R2Bucket>): R2Store {
	return new R2Store(bucket as R2Bucket);
}

describe("R2Store translates what the binding throws", () => {
	it.each([
		["put: Reduce your concurrent request rate for the same object. (10058)", "store.throttled"],
		["put: We encountered an internal error. Please try again. (10001)", "store.unavailable"],
		["put: Service unavailable (10043)", "store.unavailable"],
		["put: Client disconnected (10054)", "store.unavailable"],
		["Network connection lost.", "store.unavailable"],
		["put: At least one of the pre-conditions you specified did not hold. (10031)", "store.precondition"],
		["put: Your metadata headers exceed the maximum allowed metadata size. (10012)", "store.refused"],
		["put: The specified bucket does not exist. (10006)", "store.refused"],
		["put: Your proposed upload exceeds the maximum allowed object size. (100100)", "store.refused"],
		["get: The requested range is not satisfiable (10039)", "input.range"],
	])("%s is %s", async (message, code) => {
		const fail = async () => {
			throw new Error(message);
		};
		const store = storeOn({ put: fail, get: fail, head: fail, delete: fail, list: fail });
		await expect(store.put("a", "x")).rejects.toMatchObject({ code });
		await expect(store.putIfAbsent("a", "x")).rejects.toMatchObject({ code });
		await expect(store.get("a")).rejects.toMatchObject({ code });
		await expect(store.head("a")).rejects.toMatchObject({ code });
		await expect(store.delete(["a"])).rejects.toMatchObject({ code });
		await expect(store.list("a")).rejects.toMatchObject({ code });
	});

	it("and what a body throws while it is read", async () => {
		const object = {
			key: "a",
			etag: "e",
			size: 1,
			uploaded: new Date(0),
			body: new ReadableStream<Uint8Array>(),
			arrayBuffer: () => Promise.reject(new Error("Network connection lost.")),
		};
		const stored = await storeOn({ get: async () => object }).get("a");
		await expect(stored?.bytes()).rejects.toMatchObject({ code: "store.unavailable" });
	});
});

describe("R2Store with a signal", () => {
	it("does not wait for an answer any more, and leaves no listener", async () => {
		const controller = new AbortController();
		const store = storeOn({ head: () => new Promise(() => {}) });
		const waiting = expect(store.head("a", { signal: controller.signal })).rejects.toMatchObject({ code: "aborted" });
		controller.abort();
		await waiting;
		const other = new AbortController();
		let listeners = 0;
		const { addEventListener, removeEventListener } = other.signal;
		other.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
			listeners++;
			return addEventListener.apply(other.signal, args);
		};
		other.signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
			listeners--;
			return removeEventListener.apply(other.signal, args);
		};
		await storeOn({ head: async () => null }).head("a", { signal: other.signal });
		expect(listeners).toBe(0);
	});
});
