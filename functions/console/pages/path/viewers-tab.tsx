import { Alert, Group, Select, Stack, Text, TextInput, Title } from "@mantine/core";
import { useState } from "react";
import { useCan, useChange } from "../../api/hooks.ts";
import { ConfirmButton } from "../../ui/confirm-button.tsx";
import { KeyValue } from "../../ui/key-value.tsx";
import type { Stream } from "../live/stream.ts";
import { RevocationList } from "./revocation-list.tsx";

const BY = [
	{ value: "token", label: "The token itself", hint: "eyJhbGciOiJFUzI1NiIs…" },
	{ value: "tokenId", label: "The id of a token", hint: "eb4dbacf-efa6-…" },
	{ value: "subject", label: "A viewer (subject)", hint: "ana" },
] as const;
type By = (typeof BY)[number]["value"];

const QUESTIONS: Readonly<Record<By, string>> = {
	token: "End playback for whoever has this token? It is worth nothing any more, on any path.",
	tokenId: "End playback for whoever has the token with this id? It is worth nothing any more, on any path.",
	subject:
		"End playback for this viewer? All of their tokens that were made until now are worth nothing any more, on any path.",
};

/** Who watches, and how to end that. */
export function ViewersTab({ path, stream }: { path: string; stream: Stream | undefined }) {
	const mayRevoke = useCan("api");
	return (
		<Stack gap="lg">
			<ViewerCounts stream={stream} />
			{mayRevoke ? (
				<>
					<EndPlayback path={path} />
					<RevocationList path={path} />
				</>
			) : (
				<Alert color="gray" title="Your key cannot end playback">
					An administrator's key can: for a token, for a viewer, or for the whole path.
				</Alert>
			)}
		</Stack>
	);
}

function ViewerCounts({ stream }: { stream: Stream | undefined }) {
	const viewers = stream?.live === true ? stream.health?.viewers : undefined;
	if (viewers === undefined) return <Text>The stream is not live, so there are no viewers to count.</Text>;
	return (
		<Stack gap="xs">
			<KeyValue
				items={[
					{ label: "Viewers", value: String(viewers.total) },
					{ label: "HLS", value: String(viewers.hls) },
					{ label: "WebRTC", value: String(viewers.webrtc) },
					{ label: "RTSP", value: String(viewers.rtsp) },
				]}
			/>
			<Text size="sm" c="dimmed">
				HLS is who asked within half a minute, with what this console plays and shows as pictures.
			</Text>
		</Stack>
	);
}

function EndPlayback({ path }: { path: string }) {
	const [by, setBy] = useState<By>("token");
	const [text, setText] = useState("");
	const { run } = useChange(
		(api, asked: Readonly<Record<string, string>>) => api.send("POST", "/v1/tokens/revoke", asked),
		{ touches: ["/v1/revocations"], done: "Playback ends within ten seconds." },
	);
	const hint = BY.find(({ value }) => value === by)?.hint ?? "";
	return (
		<Stack gap="sm" component="section" aria-labelledby="end-playback">
			<Title order={2} size="h5" id="end-playback">
				End playback
			</Title>
			<Group align="flex-end" gap="sm">
				<Select
					label="End playback for"
					w={190}
					data={BY.map(({ value, label }) => ({ value, label }))}
					value={by}
					allowDeselect={false}
					onChange={(value) => setBy(BY.find((known) => known.value === value)?.value ?? "token")}
				/>
				<TextInput
					label="Which one"
					placeholder={hint}
					value={text}
					onChange={(event) => setText(event.currentTarget.value)}
					spellCheck={false}
					autoComplete="off"
					style={{ flex: "1 1 220px" }}
					styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
				/>
				<ConfirmButton
					label="End playback"
					size="sm"
					disabled={text.trim() === ""}
					question={QUESTIONS[by]}
					onConfirm={() => run({ [by]: text.trim() }).then((done) => done !== null && setText(""))}
				/>
			</Group>
			<Group gap="sm">
				<ConfirmButton
					label="End playback for everybody"
					question={`End playback of ${path} for everybody whose token was made until now? New tokens work.`}
					onConfirm={() => run({ path })}
				/>
				<Text size="sm" c="dimmed">
					Ends every token for this path that was made until now. New tokens work.
				</Text>
			</Group>
		</Stack>
	);
}
