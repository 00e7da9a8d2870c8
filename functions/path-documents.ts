import { type PathOverrides, pathOverridesSchema } from "#shared/config/path-config.ts";
import type { PathName } from "#shared/path-name.ts";
import { StoreError } from "#shared/problem.ts";
import { pathConfigKey } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";

/** Reads the configuration document of a path; `null` when there is none. @throws StoreError `store.refused` when it is damaged */
export async function readPathOverrides(
	store: ObjectStore,
	name: PathName,
): Promise<{ overrides: PathOverrides; etag: string } | null> {
	const object = await store.get(pathConfigKey(name));
	if (object === null) return null;
	return { overrides: parsePathOverrides(name, await object.text()), etag: object.etag };
}

/** @throws StoreError `store.refused` when the document is damaged */
export function parsePathOverrides(name: PathName, text: string): PathOverrides {
	try {
		return pathOverridesSchema.parse(JSON.parse(text));
	} catch (cause) {
		const key = pathConfigKey(name);
		throw new StoreError("store.refused", `The document ${key} is damaged: PUT the configuration of ${name} again`, {
			cause,
		});
	}
}
