import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { recordingLogger } from "../../test/support/rtp-stream.ts";
import { tempDir } from "../../test/support/temp-dir.ts";
import { type Certificate, watchCertificate } from "./tls-files.ts";

describe("the files of a certificate that is used", () => {
	it("are taken when they change, and not when they cannot be used", async () => {
		await using folder = await tempDir();
		const files = { keyFile: path.join(folder.path, "k"), certFile: path.join(folder.path, "c") };
		const write = (text: string) => Promise.all([writeFile(files.keyFile, text), writeFile(files.certFile, text)]);
		await write("old");
		const clock = new FakeClock();
		const log = recordingLogger();
		const taken: string[] = [];
		const replace = ({ key, cert }: Certificate) => {
			if (key === "damaged") throw new Error("It is damaged");
			taken.push(`${key} ${cert}`);
		};
		const certificate = { key: "old", cert: "old" };
		using watch = watchCertificate({ files, prefix: "webrtc", certificate, replace, clock, log });
		const errors = () => log.lines.filter(({ level }) => level === "error").length;
		await write("damaged");
		await clock.advance(10_000);
		await eventually("it is told", () => errors() === 1);
		await write("new");
		await clock.advance(10_000);
		await eventually("it is taken", () => taken.length > 0);
		expect(taken).toEqual(["new new"]);
		watch[Symbol.dispose]();
		expect(clock.pending).toBe(0);
	});
});
