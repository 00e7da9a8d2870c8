import { Button, Group, Modal, Text } from "@mantine/core";
import { changesText } from "./draft.ts";
import type { LeaveGuard } from "./use-leave-guard.ts";

/** Asks once before unsaved changes are lost. */
export function LeaveDialog({ guard, count }: { guard: LeaveGuard; count: number }) {
	return (
		<Modal
			opened={guard.wanted !== null}
			onClose={guard.stay}
			title="Leave without saving?"
			centered
			closeButtonProps={{ "aria-label": "Close" }}
		>
			<Text>{changesText(count)} would be lost.</Text>
			<Group justify="flex-end" mt="lg">
				<Button variant="default" onClick={guard.stay} data-autofocus>
					Stay
				</Button>
				<Button color="red" onClick={guard.leave}>
					Leave
				</Button>
			</Group>
		</Modal>
	);
}
