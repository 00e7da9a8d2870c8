import { SimpleGrid, Stack, Text, Title } from "@mantine/core";
import type { Api } from "../../api/client.ts";
import { ApiProblem } from "../../api/problem.ts";
import { findMediaPlace, type MediaPlace } from "../../player/media-place.ts";
import { hlsAddress } from "../../player/playback-address.ts";
import { CopyField } from "../../ui/copy-field.tsx";
import { AccessMaker } from "./access-maker.tsx";
import { withCredential } from "./media-address.ts";
import { playRecipes } from "./play-recipes.ts";
import { publishRecipes } from "./publish-recipes.ts";
import { RecipeList } from "./recipe-list.tsx";

type Access = { readonly credential: string; readonly place: MediaPlace };

const NAMES: Readonly<Record<keyof MediaPlace["urls"], string>> = {
	rtsp: "RTSP",
	rtsps: "RTSP over TLS",
	srt: "SRT",
	rtmp: "RTMP",
	whip: "WHIP",
	whep: "WHEP",
	page: "Page of the node",
};

const NOWHERE: MediaPlace = {
	live: false,
	node: null,
	urls: { rtsp: null, rtsps: null, srt: null, rtmp: null, whip: null, whep: null, page: null },
	hls: null,
};

/** How to publish to a path and how to watch it, by every protocol of its node. */
export function ConnectTab({ path }: { path: string }) {
	return (
		<SimpleGrid cols={{ base: 1, lg: 2 }} spacing="xl" verticalSpacing="xl">
			<Stack component="section" gap="sm" aria-labelledby="publish">
				<Title order={2} size="h4" id="publish">
					Publish
				</Title>
				<Text size="sm">
					A stream key lets an encoder publish to this path alone. It is shown here once, and not kept.
				</Text>
				<AccessMaker<Access>
					label="Make a stream key"
					lifeLabel="The key is good for"
					make={(api, expiresIn) => publishAccess(api, path, expiresIn)}
				>
					{({ credential, place }) => (
						<>
							<CopyField label="Stream key" value={credential} secret />
							<Addresses place={place} credential={credential} />
							<RecipeList label="Publish with" recipes={publishRecipes(place.urls, credential)} />
						</>
					)}
				</AccessMaker>
			</Stack>
			<Stack component="section" gap="sm" aria-labelledby="play">
				<Title order={2} size="h4" id="play">
					Watch
				</Title>
				<Text size="sm">A token lets its holder watch this path until it expires, or until you revoke it.</Text>
				<AccessMaker<Access>
					label="Make a token"
					lifeLabel="The token is good for"
					make={(api, expiresIn) => playAccess(api, path, expiresIn)}
				>
					{({ credential, place }) => (
						<>
							<CopyField label="Token" value={credential} secret />
							{place.hls !== null && <CopyField label="HLS" value={place.hls} />}
							<Addresses place={place} credential={credential} />
							<RecipeList label="Watch with" recipes={playRecipes({ ...place.urls, hls: place.hls }, credential)} />
						</>
					)}
				</AccessMaker>
			</Stack>
		</SimpleGrid>
	);
}

function Addresses({ place: { urls, node }, credential }: { place: MediaPlace; credential: string }) {
	const known = Object.entries(urls).flatMap(([name, address]) =>
		address === null ? [] : [{ label: NAMES[name as keyof MediaPlace["urls"]] ?? name, address }],
	);
	return (
		<Stack gap="sm">
			{known.map(({ label, address }) => (
				<CopyField key={label} label={label} value={withCredential(address, credential)} />
			))}
			<Text size="xs" c="dimmed">
				{node === null ? (
					"No media node is up: there is only HLS, from the bucket."
				) : (
					<>
						On the node <code>{node.id}</code>
						{node.region === "" ? "" : ` in ${node.region}`}.
					</>
				)}
			</Text>
		</Stack>
	);
}

async function publishAccess(api: Api, path: string, expiresIn: string): Promise<Access> {
	const asked = { path, action: "publish", expiresIn };
	const { body } = await api.send<{ streamKey: string }>("POST", "/v1/stream-keys", asked);
	return { credential: body.streamKey, place: await findMediaPlace("ingest", path, body.streamKey) };
}

async function playAccess(api: Api, path: string, expiresIn: string): Promise<Access> {
	const asked = { path, actions: ["read"], expiresIn };
	const { body } = await api.send<{ token: string }>("POST", "/v1/tokens", asked);
	return { credential: body.token, place: await readPlace(path, body.token) };
}

/** Without a node, what was recorded can still be watched: HLS comes from the bucket. */
async function readPlace(path: string, token: string): Promise<MediaPlace> {
	try {
		return await findMediaPlace("read", path, token);
	} catch (error) {
		if (!(error instanceof ApiProblem) || error.status !== 503) throw error;
		return { ...NOWHERE, hls: hlsAddress(location.origin, token, path) };
	}
}
