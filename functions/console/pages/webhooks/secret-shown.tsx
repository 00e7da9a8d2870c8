import { Button, Stack, Text } from "@mantine/core";
import { CopyField } from "../../ui/copy-field.tsx";

/** A secret that nobody can read again. */
export function SecretShown({ secret, children, onDone }: { secret: string; children: string; onDone: () => void }) {
	return (
		<Stack>
			<Text size="sm">{children}</Text>
			<CopyField label="Secret" value={secret} secret />
			<Button onClick={onDone}>I have copied it</Button>
		</Stack>
	);
}
