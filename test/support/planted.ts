/** Functions over a bucket that has something of everything, marked, and every credential that they must refuse. */

import { edgeKeysOf, issueEdgeToken } from "#shared/access/edge-token.ts";
import { generateSigningKey } from "#shared/access/signing-key.ts";
import { issueStreamKey } from "#shared/access/stream-key.ts";
import { issueToken } from "#shared/access/token.ts";
import { parsePathName } from "#shared/path-name.ts";
import { eventKey, mediaFile, outboxKey, WEBHOOKS_PREFIX } from "#shared/store/key.ts";
import { drainOutbox } from "../../functions/webhooks/drain.ts";
import { commitStream, functionsForTest } from "./functions.ts";
import { FakeNode } from "./nodes.ts";

/** In everything that is configured, and in nothing that a request of a test says. */
export const MARK = "m4rk3d";
export const PATH = "seeded/cam";
const FOREIGN_KEY = `slk_${"F".repeat(43)}`;

/**
 * `secrets`: what must be in no answer. `ids` and `parameters`: what stands in the place of a parameter, for the part of the
 * API or whatever has the name. A route whose parameter is not here is asked for what is not there, and then has nothing to
 * leak: add it.
 */
export async function plant() {
	const test = await functionsForTest();
	const secrets: string[] = [];
	const ids: Record<string, string> = {};
	const parameters: Record<string, string> = { version: "1", rendition: "v0", kind: "path", value: "elsewhere" };
	const credentials: Record<string, string> = {};
	const makeKey = async (body: object) =>
		(await (await test.api("POST", "/v1/keys", { name: MARK, ...body })).json()) as { id: string; key: string };
	const { api, clock, store, tokenFor } = test;
	await commitStream(store, clock, parsePathName(PATH), 3);
	await api("PUT", `/v1/paths/${PATH}`, { source: `rtsp://${MARK}.example/` });
	await api("PUT", `/v1/paths/${PATH}`, { source: `rtsp://${MARK}.example/2` });
	await api("POST", "/v1/webhooks", { url: `https://${MARK}.example/`, description: MARK });
	const { objects } = await store.list(WEBHOOKS_PREFIX);
	ids["webhooks"] = objects[0]?.key.slice(WEBHOOKS_PREFIX.length, -".json".length) ?? "";
	const made = (await (await api("POST", `/v1/webhooks/${ids["webhooks"]}/rotate`)).json()) as { secret: string };
	const { signingKeys, streamKeySecrets } = test.deps.settings;
	secrets.push(made.secret, ...streamKeySecrets, ...signingKeys.map(({ d }) => d));
	for (const [i, type] of ["stream.online", "stream.offline"].entries()) {
		const data = { path: PATH, streamId: MARK, node: "n1", protocol: MARK, tracks: [], reason: MARK, durationMs: 1 };
		const timestamp = new Date(clock.now()).toISOString();
		const event = { id: `evt_${"0".repeat(8)}${i}`, type, timestamp, sequence: i, data };
		await store.put(eventKey(parsePathName(PATH), i), JSON.stringify(event));
		await store.put(outboxKey(parsePathName(PATH), i), JSON.stringify(event));
		test.endpoint.answer = () => ({ status: i === 0 ? 204 : 410, retryAfterS: null });
		await drainOutbox(test.deps);
		parameters["event"] = event.id;
	}
	await api("PATCH", `/v1/webhooks/${ids["webhooks"]}`, { disabled: false });
	await api("POST", `/v1/webhooks/${ids["webhooks"]}/test`);
	const { items } = (await (await api("GET", "/v1/deliveries?state=dead")).json()) as { items: { name: string }[] };
	ids["deliveries"] = items[0]?.name ?? "";
	parameters["state"] = "dead";
	await FakeNode.join("n1", { store, clock }, { host: `${MARK}.example`, region: MARK });
	ids["nodes"] = "n1";
	await api("POST", "/v1/tokens/revoke", { path: "elsewhere" });
	await api("POST", "/v1/signing-keys/rotate");
	parameters["kid"] = signingKeys[0]?.kid ?? "";
	parameters["file"] = mediaFile(1, 0, "v0");
	const expired = await makeKey({ role: "admin", expiresIn: "1s" });
	const revoked = await makeKey({ role: "admin" });
	const deleted = await makeKey({ role: "admin" });
	secrets.push(...[expired, revoked, deleted].map(({ key }) => key));
	ids["keys"] = revoked.id;
	credentials["a revoked token"] = await tokenFor("api");
	await api("POST", "/v1/tokens/revoke", { token: credentials["a revoked token"] });
	credentials["an expired token"] = await tokenFor("api", "", { lifeMs: 1000 });
	credentials["an expired key"] = expired.key;
	await api("PATCH", `/v1/keys/${revoked.id}`, { disabled: true });
	await api("DELETE", `/v1/keys/${deleted.id}`);
	await clock.advance(10_000);
	credentials["a revoked key"] = revoked.key;
	credentials["a deleted key"] = deleted.key;
	credentials["a foreign key"] = FOREIGN_KEY;
	credentials["a foreign token"] = await tokenFor("api", "", { foreign: true });
	const { kid } = test.deps.settings.signingKeys[0] ?? {};
	credentials["a foreign token that names our key"] = await issueToken(
		[{ ...(await generateSigningKey()), ...(kid === undefined ? {} : { kid }) }],
		{ permissions: [{ action: "api", path: "" }], subject: "", expiresMs: clock.now() + 3_600_000 },
		clock,
	);
	credentials["a foreign stream key"] = await issueStreamKey(
		[Buffer.alloc(32, 9).toString("base64url")],
		{ action: "publish", path: PATH },
		null,
	);
	credentials["a foreign edge token"] = await issueEdgeToken(
		await edgeKeysOf([Buffer.alloc(32, 9).toString("base64url")]),
		{
			tokenId: "x",
			subject: "",
			issuedMs: clock.now(),
			expiresMs: clock.now() + 3_600_000,
			paths: [PATH],
			limits: {},
		},
	);
	const token = await tokenFor("api");
	credentials["a token that was changed"] =
		`${token.slice(0, -10)}${token.at(-10) === "A" ? "B" : "A"}${token.slice(-9)}`;
	credentials["a token without its signature"] = token.slice(0, token.lastIndexOf(".") + 1);
	credentials["a token of the algorithm none"] = [
		{ alg: "none", kid: "x" },
		{ exp: 4e9, mediamtx_permissions: [{ action: "api" }] },
	]
		.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
		.join(".")
		.concat(".");
	credentials["a word"] = "secret";
	credentials["a very long one"] = `slk_${"x".repeat(5000)}`;
	return { test, secrets, ids, parameters, credentials, makeKey };
}
