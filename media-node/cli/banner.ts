import type { Settings } from "#shared/config/settings.ts";

export type BannerOptions = {
	readonly version: string;
	readonly settings: Settings;
	readonly configFile: string;
	readonly configWritten: boolean;
	/** Other commands do not find the file by themselves: it was named. */
	readonly configNamed: boolean;
	readonly rtspPort: number | null;
	readonly webrtcPort: number | null;
	readonly functionsPort: number | null;
	/** A first admin token; `null` when there was one before. */
	readonly token: string | null;
};

/** What a person who has just started Sluice wants to know. */
export function banner(options: BannerOptions): string {
	const { version, settings, configFile, configWritten, configNamed } = options;
	const { rtspPort, webrtcPort, functionsPort, token } = options;
	const makeToken = `npx sluice token${configNamed ? ` -c ${quoted(configFile)}` : ""}`;
	const lines = [`Sluice ${version}`, ""];
	const say = (title: string, text: string) => lines.push(`  ${title.padEnd(9)} ${text}`);
	if (rtspPort !== null) {
		say("Publish", `rtsp://localhost:${rtspPort}/cam01`);
		say("", `ffmpeg -re -stream_loop -1 -i any.mp4 -c copy -f rtsp rtsp://localhost:${rtspPort}/cam01`);
	} else say("Publish", "the RTSP server is switched off");
	if (webrtcPort !== null) {
		const scheme = settings.webrtcEncryption ? "https" : "http";
		say(
			"Browser",
			`${scheme}://localhost:${webrtcPort}/cam01/publish to publish, ${scheme}://localhost:${webrtcPort}/cam01/ to play`,
		);
	}
	if (functionsPort !== null) {
		const url = (settings.publicURL ?? `http://localhost:${functionsPort}`).replace(/\/+$/, "");
		say("Watch", `${makeToken} --path cam01 --read     prints the signed HLS URL`);
		say("Console", `${url}/console/`);
		say("API", `${url}/openapi.json`);
	}
	if (settings.metrics) say("Metrics", `http://${settings.metricsAddress.replace(/^:/, "localhost:")}/metrics`);
	say("Bucket", settings.bucket);
	say("Settings", configWritten ? `${configFile}, written now with every default` : configFile);
	if (token !== null)
		lines.push(
			"",
			`  Admin token for console and API, valid for a day (\`${makeToken} --admin\` makes another):`,
			token,
		);
	return `${lines.join("\n")}\n\n`;
}

/** A word for a shell. */
function quoted(word: string): string {
	return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
