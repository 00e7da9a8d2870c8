import { describe, expect, it } from "vitest";
import { Replaceable } from "./replaceable.ts";

function world() {
	const calls: string[] = [];
	const replaceable = new Replaceable<{ readonly port: number } | null, AsyncDisposable & { readonly port: number }>(
		async (settings) => {
			if (settings === null) return null;
			if (settings.port === 13) throw new Error("The port is in use");
			calls.push(`open ${settings.port}`);
			return {
				port: settings.port,
				async [Symbol.asyncDispose]() {
					calls.push(`close ${settings.port}`);
				},
			};
		},
	);
	return { calls, replaceable };
}

describe("a part that settings replace", () => {
	it("is replaced when its settings change, and only then", async () => {
		const { calls, replaceable } = world();
		expect(await replaceable.apply({ port: 1 })).toBe(true);
		expect(await replaceable.apply({ port: 1 })).toBe(false);
		expect(await replaceable.apply({ port: 2 })).toBe(true);
		expect(replaceable.part?.port).toBe(2);
		await replaceable[Symbol.asyncDispose]();
		expect(calls).toEqual(["open 1", "close 1", "open 2", "close 2"]);
	});

	it("may be switched off", async () => {
		const { calls, replaceable } = world();
		await replaceable.apply({ port: 1 });
		await replaceable.apply(null);
		expect(replaceable.part).toBeNull();
		expect(calls).toEqual(["open 1", "close 1"]);
	});

	it("that fails to open leaves nothing, and is tried again", async () => {
		const { calls, replaceable } = world();
		await expect(replaceable.apply({ port: 13 })).rejects.toThrow("in use");
		expect(replaceable.part).toBeNull();
		await expect(replaceable.apply({ port: 13 })).rejects.toThrow("in use");
		await replaceable.apply({ port: 1 });
		expect(calls).toEqual(["open 1"]);
	});
});
