import net, { type AddressInfo } from "node:net";
import path from "node:path";
import process from "node:process";
import { expect, it } from "vitest";
import { portOwner } from "./port-owner.ts";

it.runIf(process.platform === "linux")("names the program that has a port, and not a thread of it", async () => {
	const server = net.createServer();
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	try {
		const owner = await portOwner((server.address() as AddressInfo).port, "tcp");
		expect(owner).toBe(`${path.basename(process.argv0)} (pid ${process.pid})`);
	} finally {
		await new Promise((resolve) => server.close(resolve));
	}
});
