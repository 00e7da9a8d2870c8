import { ActionIcon, TextInput, Tooltip } from "@mantine/core";
import { Eye, EyeOff } from "lucide-react";
import { type ReactNode, useState } from "react";
import { hasSecret, maskedText } from "./secret.ts";

/** A text. One that came with a secret shows it when asked, and can be changed then. */
export function SecretInput(props: {
	id: string;
	name: string;
	label?: ReactNode;
	"aria-label"?: string;
	plainLabel: string;
	description?: ReactNode;
	error: string | null;
	readOnly: boolean;
	value: string;
	onChange: (value: string) => void;
}) {
	const { id, name, label, plainLabel, description, error, readOnly, value, onChange } = props;
	const isSecret = hasSecret(name, value);
	// Who types a secret sees it; it is hidden when the form is opened with it, or by the button.
	const [isShown, setShown] = useState(!isSecret);
	const isMasked = isSecret && !isShown;
	const says = isMasked ? `Show the secret in ${plainLabel}` : `Hide the secret in ${plainLabel}`;
	return (
		<TextInput
			id={id}
			label={label}
			aria-label={props["aria-label"]}
			description={description}
			error={error}
			variant={readOnly ? "filled" : "default"}
			value={isMasked ? maskedText(name, value) : value}
			readOnly={isMasked || readOnly}
			spellCheck={false}
			autoComplete="off"
			styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", textOverflow: "ellipsis" } }}
			onChange={(event) => {
				setShown(true);
				onChange(event.currentTarget.value);
			}}
			rightSection={
				isSecret && (
					<Tooltip label={says} withinPortal={false}>
						<ActionIcon variant="subtle" color="gray" aria-label={says} onClick={() => setShown(isMasked)}>
							{isMasked ? <Eye size={16} /> : <EyeOff size={16} />}
						</ActionIcon>
					</Tooltip>
				)
			}
		/>
	);
}
