import { defineConfig } from "vitest/config";

/** Those that mind nobody beside them: they wait for what happens, and measure nothing. */
const BESIDE_OTHERS = [
	...["acme", "bucket-away", "cli", "console", "day", "dvr", "failover", "node-boot", "nodes", "webhook", "worker"],
	...["rtsp-forward", "rtsp-tunnels", "sound"],
	...["webrtc-klv", "webrtc-pull", "webrtc-signalling"],
].map((name) => `test/integration/${name}.test.ts`);

export default defineConfig({
	test: {
		maxWorkers: 2,
		reporters: ["default", "./test/support/count-reporter.ts"],
		passWithNoTests: false,
		projects: [
			{
				test: {
					name: "unit",
					include: ["{shared,functions,media-node}/**/*.test.ts", "test/{unit,contract,fuzz}/**/*.test.ts"],
					exclude: ["**/*.workerd.test.ts"],
					testTimeout: 30_000,
				},
			},
			{
				test: {
					name: "integration-parallel",
					include: BESIDE_OTHERS,
					testTimeout: 120_000,
					hookTimeout: 120_000,
				},
			},
			{
				test: {
					name: "integration",
					include: ["test/integration/**/*.test.ts"],
					exclude: BESIDE_OTHERS,
					testTimeout: 120_000,
					hookTimeout: 120_000,
					// Real sockets and real players on two cores: one file at a time keeps figures and deadlines honest.
					fileParallelism: false,
				},
			},
		],
	},
});
