/**
 * Runs sst.config.ts as `sst deploy` does, but with Pulumi's mocks in place of clouds: prints every resource, as JSON.
 * A process of its own, since Pulumi keeps one program in each.
 *
 * Usage: node infra-child.ts <stage> <working folder>
 */

import { readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { answerCall, newResource } from "./mock-cloud.ts";
import { type Esbuild, SstEngine } from "./sst-engine.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const PLATFORM = path.join(ROOT, ".sst/platform");
const [stage = "", folder = ""] = process.argv.slice(2);

export type App = Record<string, unknown> & { readonly providers: Readonly<Record<string, unknown>> };
export type Resource = {
	readonly type: string;
	readonly name: string;
	readonly inputs: Readonly<Record<string, unknown>>;
};
/** What is printed. */
export type InfraRun = { readonly app: App; readonly resources: Resource[]; readonly outputs: unknown };

type Mocks = {
	newResource(args: Resource): { id: string; state: Record<string, unknown> };
	call(args: { token: string; inputs: Record<string, unknown> }): Record<string, unknown>;
};
/** What is used of it. */
type Pulumi = {
	runtime: {
		setMocks(mocks: Mocks, project: string, stack: string, preview: boolean): Promise<void>;
		runInPulumiStack(program: () => Promise<unknown>): Promise<unknown>;
	};
	output(value: unknown): { apply(use: (value: unknown) => void): void };
};

const fromPlatform = createRequire(path.join(PLATFORM, "package.json"));
const esbuild = fromPlatform("esbuild") as Esbuild;
const pulumi = fromPlatform("@pulumi/pulumi") as Pulumi;

/** The configuration's `app`, run with what `sst` gives it. */
async function readApp(): Promise<App> {
	const outfile = path.join(folder, "app.mjs");
	const contents = `globalThis.$config = (config) => config; export const { default: config } = await import("${ROOT}/sst.config.ts");`;
	await esbuild.build({
		stdin: { contents, resolveDir: ROOT, loader: "ts" },
		bundle: true,
		format: "esm",
		platform: "node",
		outfile,
		logLevel: "error",
		// What `run` imports is for the second build.
		external: ["./infra/aws/stack.ts", "./infra/cloudflare/stack.ts"],
	});
	const { config } = (await import(pathToFileURL(outfile).href)) as {
		config: { app(input: { stage: string }): Promise<App> };
	};
	return config.app({ stage });
}

/** The whole program, with the globals that `sst` puts before each file of ours. */
async function bundleProgram(app: App): Promise<string> {
	const globals = [
		...Object.keys(app.providers).map((name) => `import * as ${name} from "@pulumi/${name}";`),
		`import * as sst from "${PLATFORM}/src/components";`,
	].join("\n");
	const cli = {
		command: "deploy",
		dev: false,
		paths: { home: path.join(folder, "home"), root: ROOT, work: folder, platform: PLATFORM },
		state: { version: {} },
	};
	// Beside the platform, because what is left out of the bundle is found from there.
	const outfile = path.join(PLATFORM, `run-${process.pid}.mjs`);
	await esbuild.build({
		stdin: {
			contents: `import { run } from "${PLATFORM}/src/auto/run.ts"; import config from "${ROOT}/sst.config.ts"; export const start = () => run(config.run);`,
			resolveDir: ROOT,
			sourcefile: "eval.ts",
			loader: "ts",
		},
		banner: {
			js: [
				'import { createRequire as __createRequire } from "module";',
				'import { fileURLToPath as __toPath, URL as __Url } from "url";',
				"const require = __createRequire(import.meta.url);",
				"const __filename = __toPath(import.meta.url);",
				'const __dirname = __toPath(new __Url(".", import.meta.url));',
			].join("\n"),
		},
		mainFields: ["module", "main"],
		format: "esm",
		platform: "node",
		target: "esnext",
		bundle: true,
		outfile,
		logLevel: "error",
		nodePaths: [path.join(PLATFORM, "node_modules")],
		external: [
			"@pulumi/*",
			"undici",
			"@pulumiverse/*",
			"@sst-provider/*",
			"@aws-sdk/*",
			"esbuild",
			"archiver",
			"glob",
			"vite",
		],
		define: {
			$app: JSON.stringify({ protect: false, watch: [], ...app, stage }),
			$cli: JSON.stringify(cli),
			$dev: "false",
		},
		inject: [path.join(PLATFORM, "src/shim/run.js")],
		plugins: [globalsPlugin(globals)],
	});
	return outfile;
}

/** Resources that nobody waits for come later: waits until nothing runs any more, however slow the machine is. */
function settled(): Promise<void> {
	return new Promise((resolve) => process.once("beforeExit", () => resolve()));
}

type PluginBuild = {
	onLoad(filter: { filter: RegExp }, load: (file: { path: string }) => Promise<unknown>): void;
};

function globalsPlugin(globals: string) {
	return {
		name: "globals",
		setup(build: PluginBuild) {
			build.onLoad({ filter: /\.ts$/ }, async (file) => {
				if (!file.path.startsWith(path.join(ROOT, "infra")) && file.path !== path.join(ROOT, "sst.config.ts")) return;
				return { contents: `${globals}\n${await readFile(file.path, "utf8")}`, loader: "ts" };
			});
		},
	};
}

const app = await readApp();
const bundle = await bundleProgram(app);
await using engine = await SstEngine.start(ROOT, path.join(folder, "artifacts"), esbuild);
process.env["SST_SERVER"] = engine.url;
const resources: Resource[] = [];
await pulumi.runtime.setMocks(
	{
		newResource(args) {
			resources.push({ type: args.type, name: args.name, inputs: args.inputs });
			return newResource(args);
		},
		call: answerCall,
	},
	String(app["name"]),
	stage,
	false,
);
try {
	const { start } = (await import(pathToFileURL(bundle).href)) as { start: () => Promise<object> };
	let returned: object = {};
	await pulumi.runtime.runInPulumiStack(async () => {
		returned = await start();
		return returned;
	});
	await settled();
	const outputs = await new Promise((resolve) => pulumi.output(returned).apply(resolve));
	const run: InfraRun = { app, resources, outputs };
	await writeFile(path.join(folder, "run.json"), JSON.stringify(run));
} finally {
	await rm(bundle, { force: true });
}
