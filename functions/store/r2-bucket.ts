/**
 * What {@link R2Store} uses of an R2 bucket binding.
 * @see https://developers.cloudflare.com/r2/api/workers/workers-api-reference/
 */
export interface R2Bucket {
	head(key: string): Promise<R2Object | null>;
	/** Without a body when the condition did not hold. */
	get(key: string, options?: R2GetOptions): Promise<R2ObjectBody | R2Object | null>;
	/** `null` when the condition did not hold. */
	put(key: string, value: Uint8Array | string, options?: R2PutOptions): Promise<R2Object | null>;
	delete(keys: string[]): Promise<void>;
	list(options: R2ListOptions): Promise<R2Objects>;
}

export type R2Condition = { etagMatches?: string; etagDoesNotMatch?: string };
export type R2Range = { offset: number; length?: number } | { suffix: number };
export type R2GetOptions = { onlyIf?: R2Condition; range?: R2Range };
export type R2PutOptions = {
	onlyIf?: R2Condition;
	httpMetadata?: { contentType?: string; cacheControl?: string };
};
export type R2ListOptions = { prefix?: string; limit?: number; startAfter?: string; delimiter?: string };

export interface R2Object {
	readonly key: string;
	/** Without quotes. */
	readonly etag: string;
	readonly size: number;
	readonly uploaded: Date;
	readonly httpMetadata?: { readonly contentType?: string };
}

export interface R2ObjectBody extends R2Object {
	readonly body: ReadableStream<Uint8Array>;
	arrayBuffer(): Promise<ArrayBuffer>;
}

export type R2Objects = {
	readonly objects: readonly R2Object[];
	readonly delimitedPrefixes: readonly string[];
	readonly truncated: boolean;
};
