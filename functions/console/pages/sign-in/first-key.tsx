import { Accordion, Stack, Text } from "@mantine/core";
import { Command } from "../../ui/command.tsx";

/** How to make a first key: beside a node with its signing keys, without one by the hash of a key. */
export function FirstKey() {
	const api = window.location.origin;
	return (
		<Accordion variant="contained">
			<Accordion.Item value="node">
				<Accordion.Control>Make a first key, on the machine that runs Sluice</Accordion.Control>
				<Accordion.Panel>
					<Stack gap="sm">
						<Text size="sm">In the folder of its sluice.yml. The last line that it prints has the key.</Text>
						<Command label="Make a first key">{`TOKEN=$(npx sluice token --admin | tail -1)
curl -s -X POST ${api}/v1/keys \\
  -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' \\
  -d '{"name": "me", "role": "admin"}'`}</Command>
						<Text size="sm">Or paste the admin token itself above: it opens the console for as long as it lives.</Text>
					</Stack>
				</Accordion.Panel>
			</Accordion.Item>
			<Accordion.Item value="cloud">
				<Accordion.Control>Make a first key for the functions in a cloud</Accordion.Control>
				<Accordion.Panel>
					<Stack gap="sm">
						<Text size="sm">
							Set SLUICE_ADMIN_KEY_HASHES to the hash that this prints, deploy, and sign in with the key.
						</Text>
						<Command label="Make a key and its hash">{`KEY=slk_$(openssl rand -base64 32 | tr '+/' '-_' | tr -d '=')
echo "$KEY"
printf %s "$KEY" | sha256sum`}</Command>
					</Stack>
				</Accordion.Panel>
			</Accordion.Item>
		</Accordion>
	);
}
