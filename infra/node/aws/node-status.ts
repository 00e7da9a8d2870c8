import type { NodeStatus } from "./agent.ts";
import type { AwsFetch } from "./signed-call.ts";

const TIMEOUT_MS = 3_000;
const MAX_CHARS = 16 * 1024 * 1024;

/** How the node beside this process is, by its metrics. It is busy while a path of it has a stream. Never fails. */
export async function nodeStatus(url: string, fetch: AwsFetch): Promise<NodeStatus> {
	let text: string;
	try {
		const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
		text = (await response.text()).slice(0, MAX_CHARS);
		if (!response.ok) return { isHealthy: false, isBusy: false };
	} catch {
		// Not there, or not in time: the same for who asks.
		return { isHealthy: false, isBusy: false };
	}
	return { isHealthy: true, isBusy: hasStreams(text) };
}

/** In the text format of Prometheus: `paths{name="cam",state="ready"} 1`. */
function hasStreams(metrics: string): boolean {
	return metrics.split("\n").some((line) => {
		const [, labels = "", value] = /^paths\{(.*)\} (\S+)/.exec(line) ?? [];
		return labels.includes('state="ready"') && Number(value) > 0;
	});
}
