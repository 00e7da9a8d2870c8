import dgram from "node:dgram";

/** Says whether programs of this machine can join multicast groups as they do: by the route, without naming a network. */
export async function canJoinGroups(): Promise<boolean> {
	const socket = dgram.createSocket("udp4");
	await new Promise<void>((resolve) => socket.bind(0, resolve));
	try {
		socket.addMembership("224.1.0.1");
		return true;
	} catch {
		// ENODEV: there is a loopback interface at most, and no route for groups over it.
		return false;
	} finally {
		await new Promise<void>((resolve) => socket.close(resolve));
	}
}
