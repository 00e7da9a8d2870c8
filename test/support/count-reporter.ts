import type { Reporter, TestModule } from "vitest/node";

/** Prints the closing line that continuous integration reads: `N passed, N failed`, alone on a line. */
export default class CountReporter implements Reporter {
	onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
		let passed = 0;
		let failed = unhandled.length;
		for (const module of modules) {
			let ran = 0;
			for (const test of module.children.allTests()) {
				ran++;
				const { state } = test.result();
				if (state === "passed") passed++;
				// A skipped or pending test counts as failed: nothing is left out in silence.
				else failed++;
			}
			// A file that could not be loaded has no tests, and must still fail the run.
			if (ran === 0 || module.errors().length > 0) failed++;
		}
		process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
		if (failed > 0) process.exitCode = 1;
	}
}
