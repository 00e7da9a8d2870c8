import net from "node:net";

/** A proxy that sends `header` ahead of every connection that it carries to a port of this machine. */
export class TcpProxy implements AsyncDisposable {
	readonly #server: net.Server;
	readonly #sockets = new Set<net.Socket>();

	private constructor(target: number, header: Uint8Array) {
		this.#server = net.createServer((client) => {
			const upstream = net.connect(target, "127.0.0.1");
			upstream.write(header);
			for (const [from, to] of [
				[client, upstream],
				[upstream, client],
			] as const) {
				this.#sockets.add(from);
				from.pipe(to);
				// A reset of one side is told to the other.
				from.on("error", () => to.destroy());
				from.on("close", () => this.#sockets.delete(from));
			}
		});
	}

	static async open(target: number, header: Uint8Array): Promise<TcpProxy> {
		const proxy = new TcpProxy(target, header);
		await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
		return proxy;
	}

	get port(): number {
		return (this.#server.address() as net.AddressInfo).port;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const socket of this.#sockets) socket.destroy();
		await new Promise((resolve) => this.#server.close(resolve));
	}
}
