import { Stack, Text } from "@mantine/core";
import type { IssuedToken } from "../../../routes/tokens.ts";
import { CopyField } from "../../ui/copy-field.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";

/** A token that was just made: it is not kept, so it is shown to be copied. */
export function IssuedTokenFields({ issued }: { issued: IssuedToken }) {
	return (
		<Stack gap="sm">
			{issued.url !== undefined && <CopyField label="URL to watch it" value={issued.url} />}
			<CopyField label="Token" value={issued.token} secret />
			<Text size="sm" c="dimmed">
				It ends <RelativeTime at={issued.expiresAt} />, and is not kept here. To take it back, revoke it by itself or by
				its id, <code>{issued.tokenId}</code>.
			</Text>
		</Stack>
	);
}
