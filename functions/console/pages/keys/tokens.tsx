import { SimpleGrid, Stack } from "@mantine/core";
import { useCan } from "../../api/hooks.ts";
import { InspectToken } from "./inspect-token.tsx";
import { IssueToken } from "./issue-token.tsx";
import { Revocations } from "./revocations.tsx";
import { RevokeTokens } from "./revoke-tokens.tsx";

/** Make a token, look at one, take some back. */
export function Tokens() {
	const isAdmin = useCan("api");
	if (!isAdmin) return <IssueToken />;
	return (
		<Stack gap="lg">
			<SimpleGrid cols={{ base: 1, lg: 2 }} spacing="lg">
				<IssueToken />
				<Stack gap="lg">
					<InspectToken />
					<RevokeTokens />
				</Stack>
			</SimpleGrid>
			<Revocations />
		</Stack>
	);
}
