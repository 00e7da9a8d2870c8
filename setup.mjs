// What `npm start` and `npm test` run first. Plain JavaScript for whatever Node.js the machine has (20 or later): it
// installs what package-lock.json names, the Node.js that the project runs on included, builds the console, and for the
// tests finds the programs that act as real clients, or installs them with apt-get where it may.
//
// Usage: node setup.mjs [--test]

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
	accessSync,
	constants,
	existsSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.dirname(fileURLToPath(import.meta.url));
const NEEDED_NODE = 24;

/** Programs that the tests use as real clients, and the Debian packages that bring them. */
const TEST_PROGRAMS = [
	{ program: "ffmpeg", packages: ["ffmpeg"] },
	{ program: "ffprobe", packages: ["ffmpeg"] },
	{ program: "chromium", packages: ["chromium"] },
	{ program: "cvlc", packages: ["vlc-bin", "vlc-plugin-base"] },
	{
		program: "gst-launch-1.0",
		packages: [
			"gstreamer1.0-tools",
			"gstreamer1.0-plugins-base",
			"gstreamer1.0-plugins-good",
			"gstreamer1.0-plugins-bad",
			"gstreamer1.0-plugins-ugly",
			"gstreamer1.0-libav",
			"gstreamer1.0-rtsp",
		],
	},
];

/** Stops with one sentence. */
function stop(sentence) {
	console.error(`sluice: ${sentence}`);
	process.exit(1);
}

function run(command, args, env = process.env) {
	const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: "inherit", env });
	if (error) stop(`Cannot run ${command}: ${error.message}.`);
	return status === 0;
}

function readJson(file) {
	return JSON.parse(readFileSync(path.join(ROOT, file), "utf8"));
}

/** Says whether node_modules holds exactly what package-lock.json asks for on this machine. */
function isInstalled() {
	if (!existsSync(path.join(ROOT, "node_modules/.package-lock.json"))) return false;
	const wanted = readJson("package-lock.json").packages;
	const present = readJson("node_modules/.package-lock.json").packages;
	return Object.entries(wanted).every(
		([name, { version, optional }]) => name === "" || (present[name] ? present[name].version === version : optional),
	);
}

/** The Node.js to run on: the one that the project installs, else this one. `null` when it is too old. */
export function projectNode() {
	const own = path.join(ROOT, "node_modules/.bin/node");
	if (existsSync(own)) return own;
	return Number(process.versions.node.split(".")[0]) >= NEEDED_NODE ? process.execPath : null;
}

/** Installs the packages if they are not there. Stops the process with a sentence if that fails. */
export function ensureInstalled() {
	if (!isInstalled()) {
		console.error("sluice: installing packages (once; about half a minute)");
		const npm = process.platform === "win32" ? "npm.cmd" : "npm";
		if (!run(npm, ["ci", "--no-audit", "--no-fund", "--loglevel=error"])) {
			stop("`npm ci` failed; its message above says why. Sluice needs the npm registry once, for its first start.");
		}
	}
	if (projectNode() === null) {
		stop(
			`Sluice runs on Node.js ${NEEDED_NODE} or later, and this is ${process.versions.node}. On ${process.platform} ${process.arch} ` +
				"no Node.js comes with its packages: install one, then try again.",
		);
	}
}

/** What the console is made of, and where it goes. */
const CONSOLE = {
	sources: ["functions/console", "shared"],
	lock: "package-lock.json",
	built: "functions/console/dist/index.html",
	config: "functions/console/vite.config.ts",
	/** Says of which sources the build is. */
	stamp: ".cache/console.sha256",
};

/** The state of the console's sources, as one hash. */
function consoleVersion() {
	const files = CONSOLE.sources.flatMap((folder) =>
		readdirSync(path.join(ROOT, folder), { recursive: true })
			.map((name) => path.join(folder, name))
			.filter((name) => /\.(tsx?|css|html|svg|json)$/.test(name))
			.filter((name) => !/\.test\.ts$/.test(name) && !name.startsWith(path.dirname(CONSOLE.built))),
	);
	const hash = createHash("sha256");
	for (const file of [CONSOLE.lock, ...files.sort()])
		hash
			.update(`${file}\0`)
			.update(readFileSync(path.join(ROOT, file)))
			.update("\0");
	return hash.digest("hex");
}

/** Builds the console if it was not built from the sources as they are. Stops the process with a sentence if that fails. */
export function ensureConsole() {
	const version = consoleVersion();
	const stamp = path.join(ROOT, CONSOLE.stamp);
	if (existsSync(path.join(ROOT, CONSOLE.built)) && existsSync(stamp) && readFileSync(stamp, "utf8") === version)
		return;
	console.error("sluice: building the console (once; a few seconds)");
	// Beside the one that is there, which may be in use, and that others may be making now too.
	const draft = path.join(ROOT, `.cache/console-${process.pid}`);
	const build = ["build", "--config", CONSOLE.config, "--outDir", draft, "--emptyOutDir", "--logLevel", "warn"];
	if (!run(projectNode(), ["node_modules/vite/bin/vite.js", ...build]))
		stop("The console could not be built; the message above says why. Sluice starts when functions/console is mended.");
	const dist = path.join(ROOT, path.dirname(CONSOLE.built));
	rmSync(stamp, { force: true });
	rmSync(dist, { recursive: true, force: true });
	try {
		renameSync(draft, dist);
	} catch (error) {
		// Somebody else was faster with the same.
		if (!existsSync(path.join(ROOT, CONSOLE.built))) throw error;
		rmSync(draft, { recursive: true, force: true });
	}
	writeFileSync(stamp, version);
}

function isProgram(name) {
	return (process.env.PATH ?? "").split(path.delimiter).some((folder) => {
		try {
			accessSync(path.join(folder, name), constants.X_OK);
			return true;
		} catch {
			// Not in this folder, or not ours to run: look on.
			return false;
		}
	});
}

function ensureTestPrograms() {
	const missing = TEST_PROGRAMS.filter(({ program }) => !isProgram(program));
	if (missing.length === 0) return;
	const names = missing.map(({ program }) => program).join(", ");
	const packages = [...new Set(missing.flatMap((entry) => entry.packages))];
	if (process.getuid?.() !== 0 || !isProgram("apt-get")) {
		stop(
			`The tests need ${names}. Install them (on Debian: apt-get install ${packages.join(" ")}), then run \`npm test\` again.`,
		);
	}
	console.error(`sluice: installing ${names} with apt-get (once)`);
	const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
	const installed =
		run("apt-get", ["update", "-qq"], env) &&
		run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages], env);
	if (!installed) stop(`apt-get could not install ${packages.join(" ")}; its message above says why.`);
	const still = missing.filter(({ program }) => !isProgram(program)).map(({ program }) => program);
	if (still.length > 0)
		stop(`The tests need ${still.join(", ")}, which ${packages.join(" ")} did not bring. Install them by hand.`);
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
	ensureInstalled();
	ensureConsole();
	if (process.argv.includes("--test")) ensureTestPrograms();
}
