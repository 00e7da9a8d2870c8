/** Longest line of a command's output that is kept, in UTF-16 units; the rest of it is left out. */
export const MAX_LINE_LENGTH = 1024;
/** Most lines that are passed on in a second. */
export const MAX_LINES_PER_SECOND = 50;

/**
 * Cuts what a command writes into lines, at line feeds and at the carriage returns of progress displays. Empty lines
 * are left out, long ones cut, and of too many in a second only their number is told.
 */
export class OutputLines {
	readonly #decoder = new TextDecoder();
	readonly #now: () => number;
	readonly #line: (text: string) => void;
	#partial = "";
	#secondFrom = 0;
	#passed = 0;
	#leftOut = 0;

	/** `now` is monotonic, in milliseconds. */
	constructor(now: () => number, line: (text: string) => void) {
		this.#now = now;
		this.#line = line;
		this.#secondFrom = now();
	}

	push(bytes: Uint8Array): void {
		this.#take(this.#decoder.decode(bytes, { stream: true }));
	}

	/** Passes on what is left when the output ends. */
	end(): void {
		this.#take(`${this.#decoder.decode()}\n`);
		this.#tellLeftOut();
	}

	#take(text: string): void {
		const parts = text.split(/[\r\n]/);
		const rest = parts.pop() ?? "";
		for (const part of parts) {
			this.#pass((this.#partial + part).slice(0, MAX_LINE_LENGTH));
			this.#partial = "";
		}
		this.#partial = (this.#partial + rest).slice(0, MAX_LINE_LENGTH);
	}

	#pass(line: string): void {
		if (line.trim() === "") return;
		const now = this.#now();
		if (now - this.#secondFrom >= 1000) {
			this.#tellLeftOut();
			this.#secondFrom = now;
			this.#passed = 0;
		}
		if (this.#passed >= MAX_LINES_PER_SECOND) {
			this.#leftOut++;
			return;
		}
		this.#passed++;
		this.#line(line);
	}

	#tellLeftOut(): void {
		if (this.#leftOut === 0) return;
		this.#line(`(${this.#leftOut} more lines were left out)`);
		this.#leftOut = 0;
	}
}
