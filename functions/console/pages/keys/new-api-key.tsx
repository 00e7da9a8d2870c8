import { Button, Group, Modal, Radio, Select, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import type { ApiKeyInput, ApiKeyWithSecret } from "../../../routes/keys.ts";
import { useChange } from "../../api/hooks.ts";
import { CopyField } from "../../ui/copy-field.tsx";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { linesOf } from "./lines.ts";

type Role = ApiKeyInput["role"];

const ROLES: readonly { readonly value: Role; readonly may: string }[] = [
	{ value: "viewer", may: "Sees how streams fare." },
	{ value: "operator", may: "Also configures paths, and hands out access to them." },
	{ value: "admin", may: "May do all: keys, nodes, webhooks, the audit log." },
];
const LIVES = [
	{ value: "", label: "Never" },
	{ value: "1d", label: "In a day" },
	{ value: "30d", label: "In 30 days" },
	{ value: "90d", label: "In 90 days" },
	{ value: "365d", label: "In a year" },
];

/** Makes a key, then shows it: this once. */
export function NewApiKey({ opened, onClose }: { opened: boolean; onClose: () => void }) {
	const [made, setMade] = useState<ApiKeyWithSecret | null>(null);

	function close() {
		setMade(null);
		onClose();
	}

	return (
		<Modal
			opened={opened}
			onClose={close}
			title={made === null ? "New API key" : "Take the key with you now"}
			// A click beside it must not throw away a key that nobody has copied.
			closeOnClickOutside={made === null}
		>
			{made === null ? (
				<NewApiKeyForm onMade={setMade} onCancel={close} />
			) : (
				<Stack>
					<Text size="sm">It is not kept, and cannot be shown again. Give it to “{made.name}” over a safe way.</Text>
					<CopyField label="API key" value={made.key} secret />
					<Group justify="flex-end">
						<Button onClick={close}>I have it</Button>
					</Group>
				</Stack>
			)}
		</Modal>
	);
}

function NewApiKeyForm({ onMade, onCancel }: { onMade: (made: ApiKeyWithSecret) => void; onCancel: () => void }) {
	const [name, setName] = useState("");
	const [role, setRole] = useState<Role>("operator");
	const [paths, setPaths] = useState("");
	const [life, setLife] = useState("");
	const create = useChange(
		async (api, body: ApiKeyInput) => (await api.send<ApiKeyWithSecret>("POST", "/v1/keys", body)).body,
		{ touches: ["/v1/keys"], quiet: true },
	);

	async function submit(event: FormEvent) {
		event.preventDefault();
		const scope = role === "admin" ? [] : linesOf(paths);
		const made = await create.run({ name, role, paths: scope, expiresIn: life === "" ? null : life });
		if (made !== null) onMade(made);
	}

	return (
		<form onSubmit={(event) => void submit(event)}>
			<Stack>
				<TextInput
					label="Name"
					description="Whose it is: a person or a machine"
					required
					maxLength={100}
					value={name}
					onChange={(event) => setName(event.currentTarget.value)}
					data-autofocus
				/>
				<Radio.Group label="Role" value={role} onChange={(value) => setRole(roleOf(value))}>
					<Stack gap="xs" mt="xs">
						{ROLES.map(({ value, may }) => (
							<Radio key={value} value={value} label={value} description={may} />
						))}
					</Stack>
				</Radio.Group>
				{role !== "admin" && (
					<Textarea
						label="Paths"
						description="One a line; ~ begins a regular expression, as in ~^site/. Empty: every path"
						placeholder="~^site/"
						autosize
						minRows={2}
						value={paths}
						onChange={(event) => setPaths(event.currentTarget.value)}
						styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
					/>
				)}
				<Select
					label="Ends"
					data={LIVES}
					value={life}
					onChange={(value) => setLife(value ?? "")}
					allowDeselect={false}
				/>
				<ProblemAlert problem={create.problem} />
				<Group justify="flex-end">
					<Button variant="default" onClick={onCancel}>
						Cancel
					</Button>
					<Button type="submit" loading={create.isRunning}>
						Make the key
					</Button>
				</Group>
			</Stack>
		</form>
	);
}

function roleOf(text: string): Role {
	return ROLES.find(({ value }) => value === text)?.value ?? "viewer";
}
