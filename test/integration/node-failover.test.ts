import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Action } from "#shared/access/permission.ts";
import { issueToken } from "#shared/access/token.ts";
import { systemClock } from "#shared/clock.ts";
import { bucketUrlOf, type DevWorker, generateWorkerKeys, startDevWorker } from "../../functions/dev-worker.ts";
import { eventually } from "../support/eventually.ts";
import { publish } from "../support/ffmpeg.ts";
import { PlaylistWatch, watchStalls } from "../support/gap-watch.ts";
import { sample } from "../support/media.ts";
import { Player } from "../support/player.ts";
import { ReconnectingPublisher } from "../support/reconnecting-publisher.ts";
import { type Ports, Sluice } from "../support/sluice.ts";
import { tempDir } from "../support/temp-dir.ts";

const GAP_GOAL_MS = 5_000;
/** Without a failure nothing new comes for as long. */
const SEGMENT_MS = 2_000;

/** The functions in workerd, and two nodes that joined them: any of the three may end without the others. */
describe("two nodes over one bucket, with the functions in workerd", () => {
	let worker: DevWorker;

	beforeAll(async () => {
		worker = await startDevWorker({ port: 0, keys: await generateWorkerKeys(), persist: null });
	});
	afterAll(async () => {
		await worker[Symbol.asyncDispose]();
	});

	const tokenFor = (action: Action, path: string) => {
		const grant = { permissions: [{ action, path }], subject: "test", expiresMs: systemClock.now() + 600_000 };
		return issueToken(worker.keys.signingKeys, grant, systemClock);
	};

	async function startNode(folder: string, id: string, config = "", ports?: Ports): Promise<Sluice> {
		const { accessKeyId, secretAccessKey } = worker.s3;
		const command = ["join", "--control", worker.url, "--key", await tokenFor("api", ""), "--public-host", "127.0.0.1"];
		return Sluice.start(
			{
				...{ folder, nodeOnly: true, command },
				config: `nodeId: ${id}\nbucket: ${bucketUrlOf(worker)}\n${config}`,
				env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
			},
			ports,
		);
	}

	/** Two nodes, a publisher that finds its way, and who watches. */
	async function scene(path: string, config = "", avoids = true) {
		await using stack = new AsyncDisposableStack();
		const folders = [stack.use(await tempDir()), stack.use(await tempDir())] as const;
		const ids = [`${path}-a`, `${path}-b`] as const;
		const [a, b] = await Promise.all([
			startNode(folders[0].path, ids[0], config),
			startNode(folders[1].path, ids[1], config),
		]);
		stack.defer(async () => void (await Promise.all([a.kill(), b.kill()])));
		const token = await tokenFor("publish", path);
		const ask = (avoid: string) => fetch(`${worker.url}/ingest/${path}?token=${token}&avoid=${avoid}`);
		const bothAreUp = () =>
			eventually(
				"both nodes are up, and those of the test before are known to be dead",
				async () => {
					const { alternatives } = (await (await ask("")).json()) as { alternatives?: unknown[] };
					return alternatives?.length === 1;
				},
				{ timeoutMs: 30_000 },
			);
		await bothAreUp();
		const publisher = stack.use(new ReconnectingPublisher({ ask, film: await sample(), token, avoids }));
		const url = `${worker.url}/${await tokenFor("read", path)}/${path}/index.m3u8`;
		await a.playlist(url, 3);
		const playlist = stack.use(new PlaylistWatch(url.replace("index.m3u8", await mediaOf(url))));
		const player = stack.use(await Player.open());
		await player.play(url);
		await eventually("hls.js plays", async () => (await player.state()).currentTime > 4, { timeoutMs: 40_000 });
		const nodes = new Map([
			[ids[0] as string, { node: a, folder: folders[0].path }],
			[ids[1] as string, { node: b, folder: folders[1].path }],
		]);
		const [owner, other] = publisher.nodeId === ids[0] ? ids : ([ids[1], ids[0]] as const);
		return { stack: stack.move(), nodes, owner, other, publisher, player, playlist, token, bothAreUp };
	}

	type Scene = Awaited<ReturnType<typeof scene>>;

	/** Waits until the viewer has seen ten more seconds; says how long nothing moved, at most, since `begun`. */
	async function goesOn({ player, playlist }: Scene, begun: { last: number; stalls: () => Promise<number> }) {
		await eventually("new segments are listed", () => playlist.last > begun.last + 3, { timeoutMs: 60_000 });
		const reached = (await player.state()).currentTime;
		const moves = async () => (await player.state()).currentTime > reached + 4;
		await eventually("the picture moves on", moves, { timeoutMs: 60_000 });
		return { state: await player.state(), listedMs: playlist.longestMs, stalledMs: await begun.stalls() };
	}

	async function begin({ playlist, player }: Scene) {
		playlist.reset();
		return { last: playlist.last, stalls: await watchStalls(player.page) };
	}

	/** Nothing that a viewer would see, and no number that goes back. */
	function isUnbroken({ playlist }: Scene, state: Awaited<ReturnType<Player["state"]>>): void {
		expect(state.errors).toEqual([]);
		expect(playlist.failures).toEqual([]);
		for (const numbers of [state.mediaSequences, state.discontinuitySequences])
			expect(numbers).toEqual([...numbers].sort((x, y) => x - y));
	}

	it("kill -9 of one sends its publisher to the other, and who watches through workerd goes on within five seconds", async () => {
		const test = await scene("kill");
		await using _stack = test.stack;
		const begun = await begin(test);
		await test.nodes.get(test.owner)?.node.kill();
		const { state, listedMs, stalledMs } = await goesOn(test, begun);
		say("kill -9, a publisher that says which node failed", listedMs, stalledMs);
		expect(test.publisher.nodeId).toBe(test.other);
		isUnbroken(test, state);
		expect(listedMs - SEGMENT_MS).toBeLessThan(GAP_GOAL_MS);
		expect(stalledMs).toBeLessThan(GAP_GOAL_MS);
	}, 180_000);

	it("kill -9 of one loses no viewer either when the publisher only asks again, and where nobody may be overridden", async () => {
		const test = await scene("plain", "pathDefaults: { overridePublisher: no }", false);
		await using _stack = test.stack;
		const rival = publish(await sample(), `${test.nodes.get(test.other)?.node.rtsp("plain")}?token=${test.token}`);
		await rival.exited;
		expect(rival.errors).toContain("plain");
		const begun = await begin(test);
		await test.nodes.get(test.owner)?.node.kill();
		const { state, listedMs, stalledMs } = await goesOn(test, begun);
		say("kill -9, a publisher that only asks again", listedMs, stalledMs);
		expect(test.publisher.nodeId).toBe(test.other);
		isUnbroken(test, state);
		expect(listedMs - SEGMENT_MS).toBeLessThan(2 * GAP_GOAL_MS);
	}, 180_000);

	it("both can be restarted, one after the other, under viewers who notice nothing", async () => {
		const test = await scene("rolling");
		await using stack = test.stack;
		for (const id of [test.owner, test.other]) {
			const begun = await begin(test);
			const { node, folder } = test.nodes.get(id) ?? {};
			if (node === undefined || folder === undefined) throw new Error(`There is no node ${id}`);
			await node.stop();
			const { state, listedMs, stalledMs } = await goesOn(test, begun);
			say(`restart of ${id}`, listedMs, stalledMs);
			isUnbroken(test, state);
			expect(listedMs - SEGMENT_MS).toBeLessThan(GAP_GOAL_MS);
			expect(stalledMs).toBeLessThan(GAP_GOAL_MS);
			// What starts on this machine, too, must not be what slows the other one down.
			const again = await startNode(folder, id, "", node.ports);
			stack.defer(() => again.kill());
			await test.bothAreUp();
		}
		// Each has had the stream: it left the one, and came back from the other.
		expect(test.publisher.nodeId).toBe(test.owner);
	}, 240_000);
});

function say(what: string, listedMs: number, stalledMs: number): void {
	const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
	console.log(
		`node failover: ${what}: no new segment for ${seconds(listedMs)}, no new picture for ${seconds(stalledMs)}`,
	);
}

async function mediaOf(url: string): Promise<string> {
	const text = await (await fetch(url)).text();
	return text.split("\n").find((line) => line.endsWith(".m3u8") && !line.startsWith("#")) ?? "";
}
