import { Button, Group, Modal, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Plus } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useLocation } from "wouter";
import { configurationOf } from "./path-address.ts";
import { newPathFault } from "./path-name-fault.ts";

/** Asks for the name of a path, and opens its form. */
export function NewPath({ known }: { known: ReadonlySet<string> }) {
	const [isOpen, { open, close }] = useDisclosure(false);
	const [, navigate] = useLocation();
	const [name, setName] = useState("");
	const [isAsked, setAsked] = useState(false);
	const fault = newPathFault(name.trim(), known);

	function submit(event: FormEvent) {
		event.preventDefault();
		setAsked(true);
		if (fault === null) navigate(configurationOf(name.trim()));
	}

	return (
		<>
			<Button leftSection={<Plus size={16} aria-hidden />} onClick={open}>
				New path
			</Button>
			<Modal opened={isOpen} onClose={close} title="New path" centered closeButtonProps={{ "aria-label": "Close" }}>
				<form onSubmit={submit}>
					<TextInput
						label="Name"
						description="As in the addresses of the stream: cam01, or site/gate-2"
						value={name}
						error={isAsked || name !== "" ? fault : null}
						data-autofocus
						autoComplete="off"
						autoCapitalize="none"
						spellCheck={false}
						styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
						onChange={(event) => setName(event.currentTarget.value)}
					/>
					<Group justify="flex-end" mt="lg">
						<Button variant="default" onClick={close}>
							Cancel
						</Button>
						<Button type="submit">Go on</Button>
					</Group>
				</form>
			</Modal>
		</>
	);
}
