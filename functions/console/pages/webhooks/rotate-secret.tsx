import { Modal } from "@mantine/core";
import { useState } from "react";
import type { Webhook } from "../../../routes/webhooks.ts";
import { segment } from "../../api/client.ts";
import { useChange } from "../../api/hooks.ts";
import { ConfirmButton } from "../../ui/confirm-button.tsx";
import { SecretShown } from "./secret-shown.tsx";

/** Makes a new secret, and shows it. */
export function RotateSecret({ endpoint: { id, url } }: { endpoint: Webhook }) {
	const [secret, setSecret] = useState<string | null>(null);
	const rotate = useChange(
		async (api) => (await api.send<{ secret: string }>("POST", `/v1/webhooks/${segment(id)}/rotate`)).body.secret,
		{ touches: ["/v1/webhooks"] },
	);
	const done = () => setSecret(null);
	return (
		<>
			<ConfirmButton
				label="Rotate secret"
				aria-label={`Rotate secret of ${url}`}
				question="Make a new secret? For a day requests are signed with both, so that the receiver can change over."
				color="cyan"
				onConfirm={async () => setSecret(await rotate.run(undefined))}
			/>
			<Modal opened={secret !== null} onClose={done} title="The new secret" size="lg" closeOnClickOutside={false}>
				<SecretShown secret={secret ?? ""} onDone={done}>
					Give this secret to the receiver within a day; until then the old one is good as well. It is shown this once.
				</SecretShown>
			</Modal>
		</>
	);
}
