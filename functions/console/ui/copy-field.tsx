import { ActionIcon, TextInput, Tooltip } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { Check, Copy, Eye, EyeOff } from "lucide-react";
import { useState } from "react";

/** A text to take along. A secret is dots until somebody looks; it can be copied either way. */
export function CopyField({ label, value, secret = false }: { label: string; value: string; secret?: boolean }) {
	const [isShown, setShown] = useState(!secret);
	const { copy, copied } = useClipboard({ timeout: 2000 });
	const says = copied ? "Copied" : `Copy ${label}`;
	const looks = isShown ? `Hide ${label}` : `Show ${label}`;
	return (
		<TextInput
			label={label}
			value={value}
			readOnly
			type={isShown ? "text" : "password"}
			autoComplete="off"
			spellCheck={false}
			styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", textOverflow: "ellipsis" } }}
			onFocus={(event) => event.currentTarget.select()}
			rightSectionWidth={secret ? 68 : 36}
			rightSection={
				<>
					{secret && (
						<Tooltip label={looks}>
							<ActionIcon variant="subtle" color="gray" aria-label={looks} onClick={() => setShown(!isShown)}>
								{isShown ? <EyeOff size={16} /> : <Eye size={16} />}
							</ActionIcon>
						</Tooltip>
					)}
					<Tooltip label={says}>
						<ActionIcon variant="subtle" color={copied ? "teal" : "gray"} aria-label={says} onClick={() => copy(value)}>
							{copied ? <Check size={16} /> : <Copy size={16} />}
						</ActionIcon>
					</Tooltip>
				</>
			}
		/>
	);
}
