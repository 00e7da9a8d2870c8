import { buildConsole, CONSOLE_BUILD } from "../console.ts";
import { chosenDomain } from "../stage.ts";
import { ASSETS, COMPATIBILITY, DELIVERIES_CRON, r2Endpoint } from "../worker-settings.ts";
import { workerSecrets } from "./secrets.ts";
import { bucket } from "./storage.ts";

const domain = chosenDomain(process.env);
const accountId = process.env["CLOUDFLARE_DEFAULT_ACCOUNT_ID"] ?? "";

await buildConsole($cli.paths.root);

/** Tokens, configuration, playback, routing and the console: one Worker, with the bucket by its binding. */
export const worker = new sst.cloudflare.Worker("Functions", {
	handler: "functions/worker.ts",
	url: domain === null,
	...(domain === null ? {} : { domain }),
	link: [bucket],
	compatibility: COMPATIBILITY,
	assets: { directory: CONSOLE_BUILD, ...ASSETS },
	environment: {
		SLUICE_NODE_BUCKET: $interpolate`s3://${bucket.name}?region=auto&endpoint=${r2Endpoint(accountId)}`,
		...(domain === null ? {} : { SLUICE_PUBLIC_URL: `https://${domain}` }),
	},
	transform: {
		worker: (args) => {
			const secrets = Object.entries(workerSecrets).map(([name, text]) => ({ type: "secret_text", name, text }));
			args.bindings = $resolve([args.bindings ?? []]).apply(([bindings]) => [...bindings, ...secrets]);
			args.observability = { enabled: true };
		},
	},
});

/** Delivers the webhooks that are due, also when nobody calls. */
export const deliveries = new cloudflare.WorkersCronTrigger("Deliveries", {
	accountId,
	scriptName: worker.nodes.worker.scriptName,
	schedules: [{ cron: DELIVERIES_CRON }],
});
