import type { Readable } from "node:stream";
import {
	DeleteObjectsCommand,
	GetObjectCommand,
	type GetObjectCommandOutput,
	HeadObjectCommand,
	ListObjectsV2Command,
	PutObjectCommand,
	S3Client,
} from "@aws-sdk/client-s3";
import { throwIfAborted } from "#shared/clock.ts";
import { StoreError } from "#shared/problem.ts";
import { rangeHeader, unsatisfiable } from "#shared/store/byte-range.ts";
import { assertDeleteCount, listLimit, nextOfPage } from "#shared/store/list-pager.ts";
import { bytesOf, objectBody, streamOf } from "#shared/store/object-body.ts";
import { assertObjectKey, isKeyPrefix } from "#shared/store/object-key.ts";
import type {
	Body,
	CallOptions,
	GetOptions,
	ListOptions,
	ListPage,
	ObjectInfo,
	ObjectStore,
	PutOptions,
	PutResult,
	StoredObject,
} from "#shared/store/object-store.ts";
import { isMissing, isNotModified, s3Error } from "#shared/store/s3-error.ts";

export type S3StoreOptions = {
	readonly bucket: string;
	/** Left out, the environment's; `auto` for an endpoint of one's own. */
	readonly region?: string | undefined;
	/** The address of another S3-compatible service, such as R2, without the bucket. */
	readonly endpoint?: string | undefined;
	/** The bucket is in the path of the URL, not in the host name. */
	readonly forcePathStyle?: boolean | undefined;
	/** Left out, the SDK looks for credentials: environment, profile, role of the machine. */
	readonly accessKeyId?: string | undefined;
	readonly secretAccessKey?: string | undefined;
	readonly sessionToken?: string | undefined;
	/** Stands before every key, with a slash between. */
	readonly prefix?: string | undefined;
	/** Until the answer begins, and for each silence after that. 30 s by default. */
	readonly requestTimeoutMs?: number | undefined;
	/** Until there is a connection. 5 s by default. */
	readonly connectTimeoutMs?: number | undefined;
};

const DEFAULT_REQUEST_TIMEOUT_MS = 30_000;
const DEFAULT_CONNECT_TIMEOUT_MS = 5_000;
/** Connections kept to the bucket; further requests wait for one. */
const MAX_CONNECTIONS = 64;

/** A bucket of Amazon S3, R2 or any server that speaks S3 and has its conditional writes. */
export class S3Store implements ObjectStore, AsyncDisposable {
	readonly #client: S3Client;
	readonly #bucket: string;
	readonly #prefix: string;

	private constructor(client: S3Client, bucket: string, prefix: string) {
		this.#client = client;
		this.#bucket = bucket;
		this.#prefix = prefix;
	}

	/**
	 * Makes a client. It says nothing to the bucket yet, which may be away.
	 * @throws StoreError `store.refused` if no region is known
	 */
	static async open(options: S3StoreOptions, signal?: AbortSignal): Promise<S3Store> {
		throwIfAborted(signal);
		const client = makeClient(options);
		try {
			await client.config.region();
		} catch (error) {
			client.destroy();
			const message = `No region is known for the bucket ${options.bucket}: give one, or set AWS_REGION`;
			throw new StoreError("store.refused", message, { cause: error });
		}
		const prefix = options.prefix?.replace(/^\/+|\/+$/g, "") ?? "";
		return new S3Store(client, options.bucket, prefix === "" ? "" : `${prefix}/`);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#client.destroy();
	}

	async get(key: string, options: GetOptions = {}): Promise<StoredObject | null> {
		const Range = options.range && rangeHeader(options.range);
		try {
			const output = await this.#client.send(new GetObjectCommand({ ...this.#at(key), Range }), abortBy(options));
			return this.#stored(key, output, options);
		} catch (error) {
			if (isMissing(error)) return null;
			throw s3Error(error, `read ${key} from the bucket`, options.signal);
		}
	}

	async getIfChanged(key: string, etag: string, options: CallOptions = {}): Promise<StoredObject | "unchanged" | null> {
		try {
			const command = new GetObjectCommand({ ...this.#at(key), IfNoneMatch: quoted(etag) });
			return this.#stored(key, await this.#client.send(command, abortBy(options)), options);
		} catch (error) {
			if (isNotModified(error)) return "unchanged";
			if (isMissing(error)) return null;
			throw s3Error(error, `read ${key} from the bucket`, options.signal);
		}
	}

	async head(key: string, options: CallOptions = {}): Promise<ObjectInfo | null> {
		try {
			return infoOf(key, await this.#client.send(new HeadObjectCommand(this.#at(key)), abortBy(options)));
		} catch (error) {
			if (isMissing(error)) return null;
			throw s3Error(error, `read ${key} from the bucket`, options.signal);
		}
	}

	put(key: string, body: Body, options: PutOptions = {}): Promise<PutResult> {
		return this.#put(key, body, options, {});
	}

	putIfAbsent(key: string, body: Body, options: PutOptions = {}): Promise<PutResult> {
		return this.#put(key, body, options, { IfNoneMatch: "*" });
	}

	putIfMatch(key: string, body: Body, etag: string, options: PutOptions = {}): Promise<PutResult> {
		return this.#put(key, body, options, { IfMatch: quoted(etag) });
	}

	async delete(keys: readonly string[], options: CallOptions = {}): Promise<void> {
		assertDeleteCount(keys);
		const Objects = keys.map((key) => ({ Key: this.#at(key).Key }));
		if (Objects.length === 0) return;
		const what = `delete ${keys[0]}${keys.length > 1 ? ` and ${keys.length - 1} more` : ""} from the bucket`;
		try {
			const command = new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } });
			const { Errors = [] } = await this.#client.send(command, abortBy(options));
			const failed = Errors.find(({ Code }) => Code !== "NoSuchKey");
			// The answer is 200 even if some of it failed.
			if (failed !== undefined) throw Object.assign(new Error(failed.Message), partOfAnswer(failed.Code));
		} catch (error) {
			throw s3Error(error, what, options.signal);
		}
	}

	async list(prefix: string, options: ListOptions = {}): Promise<ListPage> {
		const MaxKeys = listLimit(options);
		throwIfAborted(options.signal);
		if (!isKeyPrefix(prefix)) return { objects: [], prefixes: [], next: null };
		try {
			const command = new ListObjectsV2Command({
				Bucket: this.#bucket,
				Prefix: this.#prefix + prefix,
				MaxKeys,
				Delimiter: options.delimiter || undefined,
				StartAfter: options.startAfter ? this.#prefix + options.startAfter : undefined,
			});
			const output = await this.#client.send(command, abortBy(options));
			if (output.IsTruncated === undefined) throw notS3("IsTruncated");
			const own = (key: string | undefined) => (key ?? "").slice(this.#prefix.length);
			const objects = (output.Contents ?? []).map((item) => ({
				...infoOf(own(item.Key), { ...item, ContentLength: item.Size }),
				contentType: null,
			}));
			const prefixes = (output.CommonPrefixes ?? []).map((item) => own(item.Prefix));
			const keys = objects.map(({ key }) => key);
			return { objects, prefixes, next: output.IsTruncated ? nextOfPage(keys, prefixes) : null };
		} catch (error) {
			throw s3Error(error, `list ${JSON.stringify(prefix)} in the bucket`, options.signal);
		}
	}

	#at(key: string): { Bucket: string; Key: string } {
		assertObjectKey(key);
		return { Bucket: this.#bucket, Key: this.#prefix + key };
	}

	async #put(
		key: string,
		body: Body,
		options: PutOptions,
		condition: { IfNoneMatch?: string; IfMatch?: string },
	): Promise<PutResult> {
		try {
			const command = new PutObjectCommand({
				...this.#at(key),
				...condition,
				Body: bytesOf(body),
				ContentType: options.contentType,
				CacheControl: options.cacheControl,
			});
			const { ETag } = await this.#client.send(command, abortBy(options));
			return { etag: unquoted(ETag) };
		} catch (error) {
			if (condition.IfMatch !== undefined && isMissing(error)) {
				throw new StoreError("store.precondition", `The object at ${key} is gone`, { cause: error });
			}
			throw s3Error(error, `write ${key} to the bucket`, options.signal);
		}
	}

	#stored(key: string, output: GetObjectCommandOutput, { signal, range: asked }: GetOptions): StoredObject {
		const source = output.Body as (Readable & NonNullable<typeof output.Body>) | undefined;
		try {
			const info = infoOf(key, output);
			const [, start, end, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(output.ContentRange ?? "") ?? [];
			const size = total === undefined ? info.size : Number(total);
			if (asked !== undefined && size === 0) throw unsatisfiable(asked, size);
			const range = total === undefined ? { start: 0, end: size - 1 } : { start: Number(start), end: Number(end) };
			const translate = (error: unknown) => s3Error(error, `read ${key} from the bucket`, signal);
			const body = objectBody({
				async bytes() {
					try {
						return (await source?.transformToByteArray()) ?? new Uint8Array(0);
					} catch (error) {
						throw translate(error);
					}
				},
				stream: () => streamOf(source ?? [], { translate }),
			});
			return { ...info, size, range, ...body };
		} catch (error) {
			// Nobody will read it: its connection must not wait for that.
			source?.destroy();
			throw error;
		}
	}
}

function makeClient(options: S3StoreOptions): S3Client {
	const { accessKeyId, secretAccessKey, sessionToken, endpoint } = options;
	const requestTimeout = options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
	const region = options.region ?? (endpoint === undefined ? undefined : "auto");
	const agent = { keepAlive: true, maxSockets: MAX_CONNECTIONS };
	const client = new S3Client({
		...(region === undefined ? {} : { region }),
		...(endpoint === undefined ? {} : { endpoint }),
		...(accessKeyId === undefined || secretAccessKey === undefined
			? {}
			: { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } }),
		forcePathStyle: options.forcePathStyle ?? false,
		// Whoever calls the store retries: a conditional write that is sent twice can lose against itself.
		maxAttempts: 1,
		// A checksum of media costs more than muxing it, and trailers are unknown to many servers.
		requestChecksumCalculation: "WHEN_REQUIRED",
		responseChecksumValidation: "WHEN_REQUIRED",
		// The SDK would open a connection for each body of 2 MiB and more, to ask whether it may send it.
		expectContinueHeader: false,
		requestHandler: {
			connectionTimeout: options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
			requestTimeout,
			throwOnRequestTimeout: true,
			socketTimeout: requestTimeout,
			httpAgent: agent,
			httpsAgent: agent,
			logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
		},
	});
	client.middlewareStack.add(
		(next) => (args) => {
			// Over TLS a hash of the body proves nothing more. In the clear it does, and some servers want it.
			const request = args.request as { protocol?: string; headers?: Record<string, string> };
			if (request.protocol === "https:" && request.headers)
				request.headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD";
			return next(args);
		},
		{ step: "build", name: "unsignedPayload", priority: "low" },
	);
	return client;
}

type RawInfo = {
	readonly ETag?: string | undefined;
	readonly ContentLength?: number | undefined;
	readonly ContentType?: string | undefined;
	readonly LastModified?: Date | undefined;
};

function infoOf(key: string, raw: RawInfo): ObjectInfo {
	return {
		key,
		etag: unquoted(raw.ETag),
		size: raw.ContentLength ?? 0,
		contentType: raw.ContentType ?? null,
		modifiedMs: raw.LastModified?.getTime() ?? 0,
	};
}

/** One failure in the answer to a deletion, as the SDK would throw it had it been the only one. */
function partOfAnswer(code = "InternalError"): { name: string; $metadata: { httpStatusCode: number } } {
	const status = code === "InternalError" ? 500 : code === "SlowDown" ? 503 : 403;
	return { name: code, $metadata: { httpStatusCode: status } };
}

function abortBy({ signal }: CallOptions): { abortSignal?: AbortSignal } {
	return signal === undefined ? {} : { abortSignal: signal };
}

function quoted(etag: string): string {
	return `"${etag}"`;
}

function unquoted(etag: string | undefined): string {
	if (etag === undefined || etag === "") throw notS3("ETag");
	return etag.replace(/^"|"$/g, "");
}

/** Something else than a bucket said yes, such as the login page of a network: nothing was read or written. */
function notS3(missing: string): StoreError {
	return new StoreError("store.unavailable", `The answer has no ${missing}: it does not come from an S3 server`);
}
