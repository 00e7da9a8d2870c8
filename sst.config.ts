/// <reference path="./.sst/platform/config.d.ts" />

// SLUICE_CLOUD chooses between aws and cloudflare: see docs/deploy.md.
export default $config({
	async app(input) {
		const { chosenCloud, isKept } = await import("./infra/stage.ts");
		const cloud = chosenCloud(process.env);
		return {
			name: "sluice",
			home: cloud,
			removal: isKept(input.stage) ? "retain" : "remove",
			protect: isKept(input.stage),
			providers: cloud === "aws" ? { aws: { version: "7.20.0" } } : { cloudflare: "6.15.0" },
		};
	},
	async run() {
		const { chosenCloud } = await import("./infra/stage.ts");
		if (chosenCloud(process.env) === "cloudflare") return (await import("./infra/cloudflare/stack.ts")).outputs;
		return (await import("./infra/aws/stack.ts")).outputs;
	},
});
