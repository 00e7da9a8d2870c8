import { defineConfig } from "vitest/config";

export default defineConfig({
	test: {
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
					name: "integration",
					include: ["test/integration/**/*.test.ts"],
					testTimeout: 120_000,
					hookTimeout: 120_000,
					// Real sockets and real players on two cores: one file at a time keeps figures and deadlines honest.
					fileParallelism: false,
				},
			},
		],
	},
});
