import type { Caller } from "./group.ts";
import { LogBatch, logEvent } from "./log-batch.ts";
import { AwsError, endpointOf, signedCall } from "./signed-call.ts";

export type LogPlace = { readonly group: string; readonly stream: string };

const CONTENT_TYPE = "application/x-amz-json-1.1";

/** Sends lines of the journal to CloudWatch Logs. The journal is the truth: what cannot be sent is dropped, in the end. */
export class LogShipper {
	readonly #place: LogPlace;
	readonly #caller: Caller;
	readonly #batch = new LogBatch();
	#hasStream = false;
	#sending: Promise<void> | null = null;

	constructor(place: LogPlace, caller: Caller) {
		this.#place = place;
		this.#caller = caller;
	}

	/** Takes a line of `journalctl --output=json`. */
	add(line: string): void {
		const event = logEvent(line);
		if (event !== null) this.#batch.add(event);
	}

	/** Sends what waits. One call at a time: a second one waits for the first. */
	flush(): Promise<void> {
		this.#sending ??= this.#flush().finally(() => {
			this.#sending = null;
		});
		return this.#sending;
	}

	async #flush(): Promise<void> {
		if (this.#batch.size === 0) return;
		if (!this.#hasStream) await this.#createStream();
		const lost = this.#batch.takeLost();
		if (lost > 0) this.#batch.add({ timestamp: this.#caller.now(), message: `${lost} lines of the log were not sent` });
		const logEvents = this.#batch.next();
		await this.#call("PutLogEvents", { ...this.#names(), logEvents });
		this.#batch.sent(logEvents.length);
	}

	async #createStream(): Promise<void> {
		try {
			await this.#call("CreateLogStream", this.#names());
		} catch (error) {
			// Of an agent before this one.
			if (!(error instanceof AwsError && error.message.includes("ResourceAlreadyExistsException"))) throw error;
		}
		this.#hasStream = true;
	}

	#names(): { logGroupName: string; logStreamName: string } {
		return { logGroupName: this.#place.group, logStreamName: this.#place.stream };
	}

	async #call(action: string, body: unknown): Promise<void> {
		const { region, credentials, now, fetch } = this.#caller;
		const call = {
			service: "logs",
			region,
			endpoint: endpointOf("logs", region),
			headers: { "content-type": CONTENT_TYPE, "x-amz-target": `Logs_20140328.${action}` },
			body: JSON.stringify(body),
		};
		await signedCall(call, await credentials(), now(), fetch);
	}
}
