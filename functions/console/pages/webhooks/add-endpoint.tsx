import { Modal } from "@mantine/core";
import { useState } from "react";
import { useChange } from "../../api/hooks.ts";
import { draftOf, type EndpointDraft } from "./endpoint-draft.ts";
import { EndpointForm } from "./endpoint-form.tsx";
import { SecretShown } from "./secret-shown.tsx";

const WEBHOOKS = "/v1/webhooks";

/** Adds an endpoint, and shows its secret. */
export function AddEndpoint({ opened, onClose }: { opened: boolean; onClose: () => void }) {
	const [secret, setSecret] = useState<string | null>(null);
	const add = useChange(
		async (api, draft: EndpointDraft) => (await api.send<{ secret: string }>("POST", WEBHOOKS, draft)).body.secret,
		{ touches: [WEBHOOKS], quiet: true },
	);

	function close() {
		setSecret(null);
		onClose();
	}

	return (
		<Modal
			opened={opened}
			onClose={close}
			title={secret === null ? "Add an endpoint" : "The endpoint is there"}
			size="lg"
			closeOnClickOutside={secret === null}
		>
			{secret === null ? (
				<EndpointForm
					initial={draftOf(null)}
					submitLabel="Add the endpoint"
					isRunning={add.isRunning}
					problem={add.problem}
					onSubmit={(draft) => void add.run(draft).then(setSecret)}
					onCancel={close}
				/>
			) : (
				<SecretShown secret={secret} onDone={close}>
					Give this secret to the receiver: it verifies the signature of each request with it. It is shown this once.
				</SecretShown>
			)}
		</Modal>
	);
}
