import { readFileSync } from "node:fs";
import path from "node:path";
import type { MachineFile } from "../node/user-data.ts";

export const AGENT_UNIT = "sluice-agent.service";

const read = (name: string) => readFileSync(path.join($cli.paths.root, "infra/node", name), "utf8");

/** What a node on AWS has besides: its secrets from Parameter Store, and the agent that speaks for it. */
export const AGENT_FILES: readonly MachineFile[] = [
	{
		path: "/etc/systemd/system/sluice.service.d/aws-secrets.conf",
		mode: "0644",
		content: read("aws-secrets.conf"),
	},
	{ path: `/etc/systemd/system/${AGENT_UNIT}`, mode: "0644", content: read(AGENT_UNIT) },
];
