import { Modal } from "@mantine/core";
import type { Webhook } from "../../../routes/webhooks.ts";
import { segment } from "../../api/client.ts";
import { useChange } from "../../api/hooks.ts";
import { draftOf, type EndpointDraft, patchOf } from "./endpoint-draft.ts";
import { EndpointForm } from "./endpoint-form.tsx";

/** Changes where events go, and which. */
export function EditEndpoint({ endpoint, onClose }: { endpoint: Webhook; onClose: () => void }) {
	const save = useChange(
		async (api, draft: EndpointDraft) => {
			const ifMatch = { "if-match": `"${endpoint.etag}"` };
			await api.send("PATCH", `/v1/webhooks/${segment(endpoint.id)}`, patchOf(endpoint, draft), ifMatch);
			return true;
		},
		{ touches: ["/v1/webhooks"], done: "The endpoint is changed", quiet: true },
	);
	return (
		<Modal opened onClose={onClose} title="Edit the endpoint" size="lg">
			<EndpointForm
				initial={draftOf(endpoint)}
				submitLabel="Save"
				isRunning={save.isRunning}
				problem={save.problem}
				onSubmit={(draft) => void save.run(draft).then((isSaved) => isSaved === true && onClose())}
				onCancel={onClose}
			/>
		</Modal>
	);
}
