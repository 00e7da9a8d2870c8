import { Button, type ButtonProps, Group, Modal, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";

export type ConfirmButtonProps = Pick<ButtonProps, "size" | "variant" | "disabled" | "leftSection"> & {
	/** What it does: `Delete key`. */
	readonly label: string;
	/** What is asked first, with what it means: `Delete the key “ana”? It stops working within ten seconds.` */
	readonly question: string;
	readonly onConfirm: () => unknown;
	readonly color?: string;
	/** For screen readers, where several buttons have the same label. */
	readonly "aria-label"?: string;
};

/** A button that asks once before it does something that cannot be taken back. */
export function ConfirmButton({ label, question, onConfirm, color = "red", size = "xs", ...rest }: ConfirmButtonProps) {
	const [isOpen, { open, close }] = useDisclosure(false);
	const [isRunning, setRunning] = useState(false);

	async function confirm() {
		setRunning(true);
		try {
			await onConfirm();
		} finally {
			setRunning(false);
			close();
		}
	}

	return (
		<>
			<Button variant="default" size={size} onClick={open} {...rest}>
				{label}
			</Button>
			<Modal opened={isOpen} onClose={close} title={label} centered>
				<Text>{question}</Text>
				<Group justify="flex-end" mt="lg">
					<Button variant="default" onClick={close} data-autofocus>
						Cancel
					</Button>
					<Button color={color} loading={isRunning} onClick={() => void confirm()}>
						{label}
					</Button>
				</Group>
			</Modal>
		</>
	);
}
