import { Button, Menu, Text } from "@mantine/core";
import { ChevronDown, LogOut } from "lucide-react";
import { useSession } from "../api/context.ts";
import { RelativeTime } from "../ui/relative-time.tsx";

/** Who is signed in, as what, and the way out. */
export function AccountMenu() {
	const { me, signOut } = useSession();
	const name = me.name === "" ? "Without a name" : me.name;
	return (
		<Menu position="bottom-end" withinPortal={false}>
			<Menu.Target>
				<Button variant="default" size="sm" px="sm" rightSection={<ChevronDown size={14} aria-hidden />} maw={200}>
					<Text size="sm" truncate>
						{name}
					</Text>
				</Button>
			</Menu.Target>
			<Menu.Dropdown maw={280}>
				<Menu.Label c="var(--mantine-color-text)">
					Signed in as {name} ({me.role ?? "no role"}), with {me.kind === "key" ? "an API key" : "a token"}
					{me.expiresAt !== null && (
						<>
							{" "}
							that ends <RelativeTime at={me.expiresAt} />
						</>
					)}
				</Menu.Label>
				<Menu.Item leftSection={<LogOut size={16} aria-hidden />} onClick={signOut}>
					Sign out
				</Menu.Item>
			</Menu.Dropdown>
		</Menu>
	);
}
