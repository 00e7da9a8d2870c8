/** What differs between stages, and what people choose by variables. */

const CLOUDS = ["aws", "cloudflare"] as const;
export type Cloud = (typeof CLOUDS)[number];

/** The cloud of a deployment, by the variable SLUICE_CLOUD. */
export function chosenCloud(environment: Readonly<Record<string, string | undefined>>): Cloud {
	const name = environment["SLUICE_CLOUD"] || "aws";
	const cloud = CLOUDS.find((one) => one === name);
	if (cloud === undefined) throw new Error(`SLUICE_CLOUD is ${name}: use ${CLOUDS.join(" or ")}`);
	return cloud;
}

/** Whether what is in a stage is kept when somebody removes it. */
export function isKept(stage: string): boolean {
	return stage === "production";
}

/** The name that viewers use, such as `live.example.com`; `null`: what the cloud gives. */
export function chosenDomain(environment: Readonly<Record<string, string | undefined>>): string | null {
	const domain = environment["SLUICE_DOMAIN"] || null;
	if (domain !== null && !/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/.test(domain))
		throw new Error(`SLUICE_DOMAIN is ${domain}: use a name such as live.example.com`);
	return domain;
}

/**
 * Where playlists are answered on AWS, by SLUICE_EDGE_PLAYLISTS. `origin`: by the functions, which know what was revoked.
 * `shared`: from the CDN's cache for all viewers, cheaper for large audiences, and then a viewer's token ends with its
 * expiry alone.
 */
export function chosenPlaylists(environment: Readonly<Record<string, string | undefined>>): "origin" | "shared" {
	const choice = environment["SLUICE_EDGE_PLAYLISTS"] || "origin";
	if (choice !== "origin" && choice !== "shared")
		throw new Error(`SLUICE_EDGE_PLAYLISTS is ${choice}: use origin or shared`);
	return choice;
}

export type NodeChoice = {
	readonly instanceType: string;
	/** The most nodes at once. There are none while nobody streams. */
	readonly max: number;
};

/** The machines of media nodes, by SLUICE_NODE_TYPE and SLUICE_NODE_MAX. */
export function chosenNodes(environment: Readonly<Record<string, string | undefined>>): NodeChoice {
	const max = Number(environment["SLUICE_NODE_MAX"] || "4");
	if (!Number.isInteger(max) || max < 1 || max > 100)
		throw new Error("SLUICE_NODE_MAX must be a whole number from 1 to 100");
	return { instanceType: environment["SLUICE_NODE_TYPE"] || "c7g.medium", max };
}
