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
	const key = pathConfigKey(name);
	const object = await store.get(key);
	if (object === null) return null;
	try {
		return { overrides: pathOverridesSchema.parse(JSON.parse(await object.text())), etag: object.etag };
	} catch (cause) {
		throw new StoreError("store.refused", `The document ${key} is damaged: PUT the configuration of ${name} again`, {
			cause,
		});
	}
}
