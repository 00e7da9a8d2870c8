import { Button, Modal, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useChange } from "../../api/hooks.ts";
import { Command } from "../../ui/command.tsx";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { hostFault, joinCommand, regionFault } from "./join-command.ts";
import { KNOWN_REGIONS } from "./region-place.ts";

/** Long enough to start a machine; a node that has joined has its own key. */
const KEY_LIFE = "1d";

/** Asks where the machine is, makes a key for it, and shows the command to run there. */
export function AddNode({ opened, onClose }: { opened: boolean; onClose: () => void }) {
	const [region, setRegion] = useState("");
	const [host, setHost] = useState("");
	const [key, setKey] = useState<string | null>(null);
	const make = useChange(
		async (api, name: string) =>
			(await api.send<{ key: string }>("POST", "/v1/keys", { name, role: "node", expiresIn: KEY_LIFE })).body.key,
		{ touches: ["/v1/keys"], quiet: true },
	);
	const faults = { region: regionFault(region), host: hostFault(host) };

	async function submit(event: FormEvent) {
		event.preventDefault();
		if (faults.region !== null || faults.host !== null) return;
		setKey(await make.run(region === "" ? "join a node" : `join a node in ${region}`));
	}

	function close() {
		setKey(null);
		onClose();
	}

	const command = joinCommand({ control: window.location.origin, key: key ?? "", region, publicHost: host });
	return (
		<Modal opened={opened} onClose={close} title="Add a node" size="lg">
			{key === null ? (
				<form onSubmit={(event) => void submit(event)}>
					<Stack>
						<Text size="sm">Any machine with Node.js 20 or newer can be a node. Both answers can be left empty.</Text>
						<TextInput
							label="Region"
							description="Clients that ask for it are sent there. The codes of AWS are on the map."
							placeholder="eu-central-1"
							list="known-regions"
							value={region}
							onChange={({ currentTarget: { value } }) => setRegion(value)}
							error={faults.region}
							spellCheck={false}
							data-autofocus
						/>
						<datalist id="known-regions">
							{KNOWN_REGIONS.map((name) => (
								<option key={name} value={name} />
							))}
						</datalist>
						<TextInput
							label="Public name or address"
							description="How publishers and viewers reach the machine. Empty: it runs beside these functions."
							placeholder="node1.example"
							value={host}
							onChange={(event) => setHost(event.currentTarget.value)}
							error={faults.host}
							spellCheck={false}
						/>
						<ProblemAlert problem={make.problem} />
						<Button type="submit" loading={make.isRunning}>
							Make a key and show the command
						</Button>
					</Stack>
				</form>
			) : (
				<Stack>
					<Text size="sm">
						Run this on the machine. It joins, and serves at once; it appears here within ten seconds. The key can do
						nothing else and ends in a day. It is shown this once.
					</Text>
					<Command label="Command to join">{command}</Command>
					<Text size="sm" c="dimmed">
						After a restart of the machine <code>npx sluice start</code> is enough.
					</Text>
					<Button onClick={close}>Done</Button>
				</Stack>
			)}
		</Modal>
	);
}
