import { expect, it } from "vitest";
import { readConfig } from "../config/read-config.ts";
import { banner } from "./banner.ts";

const { settings } = readConfig("", { file: "sluice.yml", environment: {} });

function shown(configFile: string, configNamed: boolean): string {
	const ports = { rtspPort: 8554, webrtcPort: null, functionsPort: 8888 };
	return banner({ version: "1", settings, configFile, configNamed, configWritten: false, token: "TOKEN", ...ports });
}

it("says how a token is made for this configuration", () => {
	expect(shown("sluice.yml", false)).toContain("npx sluice token --path cam01 --read ");
	expect(shown("conf/my.yml", true)).toContain("npx sluice token -c conf/my.yml --path cam01 --read ");
	expect(shown("conf/my.yml", true)).toContain("`npx sluice token -c conf/my.yml --admin`");
	expect(shown("it's mine.yml", true)).toContain(String.raw`npx sluice token -c 'it'\''s mine.yml' --path`);
});
