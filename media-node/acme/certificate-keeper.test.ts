import { X509Certificate } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { AcmeServer } from "../../test/support/acme-server.ts";
import { quiet } from "../../test/support/control-api.ts";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { freePort } from "../../test/support/free-port.ts";
import { tempDir } from "../../test/support/temp-dir.ts";
import { type AcmeSettings, CertificateKeeper, certificateFiles } from "./certificate-keeper.ts";

const DAY_MS = 86_400_000;

async function world({ lifeMs = 90 * DAY_MS, badNonces = 0 } = {}) {
	const stack = new AsyncDisposableStack();
	const folder = stack.use(await tempDir()).path;
	const clock = new FakeClock();
	const challengePort = await freePort();
	const authority = stack.use(await AcmeServer.open({ challengePort, lifeMs, badNonces, now: () => clock.now() }));
	const settings: AcmeSettings = {
		directory: authority.directory,
		email: "ops@example.com",
		identifiers: [{ type: "dns", value: "node1.example" }],
		address: `127.0.0.1:${challengePort}`,
		folder,
	};
	const open = async (changes: Partial<AcmeSettings> = {}) =>
		stack.use(await CertificateKeeper.open({ ...settings, ...changes, clock, log: quiet }));
	const certificate = async () => new X509Certificate(await readFile(certificateFiles(folder).certFile));
	const seen = new Set<string>();
	/** Moves the clock on until there is a certificate of the authority that was not there before. */
	const issued = () =>
		eventually("a certificate of the authority", async () => {
			await clock.advance(10_000);
			const now = await certificate();
			if (now.issuer !== "CN=Test authority" || seen.has(now.serialNumber)) return false;
			seen.add(now.serialNumber);
			return now;
		});
	return { stack, folder, clock, authority, challengePort, open, certificate, issued };
}

describe("a node's certificate", () => {
	it("is there at once, of nobody, and then of the authority, whose every rule was kept", async () => {
		const { stack, folder, authority, open, certificate, issued } = await world();
		await using _all = stack;
		const opening = await open();
		expect((await certificate()).issuer).toMatch(/CN=(Sluice|Test authority)/);
		expect((await issued()).checkHost("node1.example")).toBe("node1.example");
		expect(authority.faults).toEqual([]);
		expect(authority.orders[0]).toMatchObject({ profile: null, status: "valid" });
		for (const file of ["server.key", "account.json"]) {
			expect((await stat(path.join(folder, file))).mode & 0o777).toBe(0o600);
		}
		await opening[Symbol.asyncDispose]();
	});

	it("is asked for with the profile of addresses where it is for an address", async () => {
		const { stack, clock, authority, open } = await world();
		await using _all = stack;
		await open({ identifiers: [{ type: "ip", value: "192.0.2.7" }] });
		await eventually("an order", async () => {
			await clock.advance(2_000);
			return authority.orders[0]?.status === "valid";
		});
		expect(authority.orders[0]).toMatchObject({ profile: "shortlived" });
		expect(authority.faults).toEqual([]);
	});

	it("is kept over restarts, and asked for again when its names change or a third of its life is left", async () => {
		const { stack, clock, authority, open, issued, certificate } = await world();
		await using _all = stack;
		const first = await open();
		const { serialNumber } = await issued();
		await first[Symbol.asyncDispose]();

		const second = await open();
		await clock.advance(59 * DAY_MS);
		expect((await certificate()).serialNumber).toBe(serialNumber);
		expect(authority.orders).toHaveLength(1);
		await clock.advance(2 * DAY_MS);
		await issued();
		await second[Symbol.asyncDispose]();

		await open({
			identifiers: [
				{ type: "dns", value: "node1.example" },
				{ type: "dns", value: "tv.example" },
			],
		});
		expect((await issued()).checkHost("tv.example")).toBe("tv.example");
		// One account for all.
		expect(new Set(authority.requests.filter((request) => request === "POST /account")).size).toBe(1);
	});

	it("goes on after nonces that were too old, and after damage to its files", async () => {
		const { stack, folder, authority, open, issued } = await world({ badNonces: 2 });
		await using _all = stack;
		await writeFile(path.join(folder, "server.key"), "half a ke");
		await writeFile(path.join(folder, "server.crt"), "half a certifi");
		await open();
		await issued();
		expect(authority.faults).toEqual([]);
	});

	it("is tried for again, ever more seldom, while the authority refuses, and what is there serves on", async () => {
		const { stack, clock, authority, open, certificate, issued } = await world();
		await using _all = stack;
		authority.refusal = "The domain is on a list";
		await open();
		const asked = () => authority.requests.filter((request) => request === "POST /order").length;
		await eventually("a first try", async () => asked() === 1);
		await eventually("a second try after a minute", async () => {
			await clock.advance(10_000);
			return asked() === 2;
		});
		expect((await certificate()).issuer).toBe("CN=Sluice");
		authority.refusal = "";
		await issued();
		expect(asked()).toBe(3);
	});

	it("stops in the midst of an order, and gives its port back", async () => {
		const { stack, authority, open, challengePort } = await world();
		await using _all = stack;
		const keeper = await open();
		await eventually("a request", async () => authority.requests.length > 0);
		await keeper[Symbol.asyncDispose]();
		await expect(fetch(`http://127.0.0.1:${challengePort}/`)).rejects.toThrow();
	});
});
