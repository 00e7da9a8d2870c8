/// <reference path="./.sst/platform/config.d.ts" />

export default $config({
	app(input) {
		const production = input.stage === "production";
		return {
			name: "sluice",
			home: "aws",
			removal: production ? "retain" : "remove",
			protect: production,
			providers: { aws: { version: "7.20.0" } },
		};
	},
	async run() {
		const { bucket } = await import("./infra/storage.ts");
		const { functions } = await import("./infra/functions.ts");
		await import("./infra/cron.ts");
		return { bucket: bucket.name, url: functions.url };
	},
});
