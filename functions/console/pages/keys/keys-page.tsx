import { Tabs } from "@mantine/core";
import { useSearchParams } from "wouter";
import { useCan } from "../../api/hooks.ts";
import { PageHeader } from "../../ui/page-header.tsx";
import { ApiKeys } from "./api-keys.tsx";
import { SigningKeys } from "./signing-keys.tsx";
import { Tokens } from "./tokens.tsx";

/** Who gets in: people and machines by API keys, viewers and publishers by tokens, which signing keys vouch for. */
export function KeysPage() {
	const isAdmin = useCan("api");
	const [search, setSearch] = useSearchParams();
	const asked = search.get("tab") ?? "";
	const tabs = isAdmin ? ["api-keys", "tokens", "signing-keys"] : ["tokens"];
	const tab = tabs.includes(asked) ? asked : (tabs[0] ?? "tokens");
	return (
		<>
			<PageHeader title="Keys and tokens" />
			<Tabs value={tab} onChange={(value) => setSearch({ tab: value ?? "" }, { replace: true })} keepMounted={false}>
				<Tabs.List mb="md">
					{isAdmin && <Tabs.Tab value="api-keys">API keys</Tabs.Tab>}
					<Tabs.Tab value="tokens">Tokens</Tabs.Tab>
					{isAdmin && <Tabs.Tab value="signing-keys">Signing keys</Tabs.Tab>}
				</Tabs.List>
				<Tabs.Panel value="api-keys">
					<ApiKeys />
				</Tabs.Panel>
				<Tabs.Panel value="tokens">
					<Tokens />
				</Tabs.Panel>
				<Tabs.Panel value="signing-keys">
					<SigningKeys />
				</Tabs.Panel>
			</Tabs>
		</>
	);
}
