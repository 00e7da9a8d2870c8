/**
 * A process that works on a bucket in a folder until it is killed, for tests of several at once:
 * `node fs-store-writer.ts <folder> <name>`. In turn, it
 * - raises the counter at `counter` by putIfMatch, if nobody was faster;
 * - takes the next free number below `numbers/` by putIfAbsent, as a timeline does;
 * - overwrites `scratch/deep/own`, or deletes it, so that folders come and go.
 * Each success is a line of output, `counter <value>` or `number <n>`: what it says, the bucket must have for ever.
 */

import { writeSync } from "node:fs";
import { hasCode } from "#shared/problem.ts";
import { FsStore } from "#shared/store/fs-store.ts";

const [root = "", name = ""] = process.argv.slice(2);
await using store = await FsStore.open({ root });

let n = 0;
for (let turn = 0; ; turn++) {
	const counter = await store.get("counter");
	if (counter !== null) {
		const history = await counter.text();
		const value = history.split("\n").length;
		try {
			await store.putIfMatch("counter", `${history}${value} ${name}\n`, counter.etag);
			say(`counter ${value}`);
		} catch (error) {
			if (!hasCode(error, "store.precondition")) throw error;
		}
	}
	try {
		await store.putIfAbsent(`numbers/${String(n).padStart(6, "0")}`, name);
		say(`number ${n}`);
	} catch (error) {
		if (!hasCode(error, "store.precondition")) throw error;
	}
	n++;
	if (turn % 2 === 0) await store.put("scratch/deep/own", name);
	else await store.delete(["scratch/deep/own"]);
}

/** A line is out before the next step: a kill cannot take it back. */
function say(line: string): void {
	writeSync(1, `${line}\n`);
}
