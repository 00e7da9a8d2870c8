import { type Clock, systemClock } from "#shared/clock.ts";
import type { BucketLocation } from "#shared/store/bucket-location.ts";
import { FsStore } from "#shared/store/fs-store.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { S3Store, type S3StoreOptions } from "#shared/store/s3-store.ts";

export type OpenStoreOptions = { readonly clock?: Clock | undefined } & Pick<
	S3StoreOptions,
	"accessKeyId" | "secretAccessKey" | "sessionToken" | "requestTimeoutMs"
>;

/**
 * Opens the bucket at `location`. A folder is made and checked; an S3 bucket is not asked for anything yet, since it may
 * be away.
 * @throws StoreError
 */
export async function openStore(
	location: BucketLocation,
	{ clock = systemClock, ...s3 }: OpenStoreOptions = {},
	signal?: AbortSignal,
): Promise<ObjectStore & AsyncDisposable> {
	switch (location.kind) {
		case "memory":
			return new MemoryStore({ clock });
		case "folder":
			return FsStore.open({ root: location.root, clock }, signal);
		case "s3": {
			const { bucket, prefix, region, endpoint, pathStyle } = location;
			return S3Store.open(
				{
					...s3,
					bucket,
					prefix,
					region: region ?? undefined,
					endpoint: endpoint ?? undefined,
					forcePathStyle: pathStyle,
				},
				signal,
			);
		}
	}
}
