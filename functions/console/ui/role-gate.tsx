import { Lock } from "lucide-react";
import type { ReactNode } from "react";
import type { ConsoleAction } from "../api/allowed.ts";
import { useCan, useMe } from "../api/hooks.ts";
import { EmptyState } from "./empty-state.tsx";
import { PageHeader } from "./page-header.tsx";

const WHO: Readonly<Record<ConsoleAction, string>> = {
	view: "somebody who may see streams",
	manage: "an operator or administrator",
	api: "an administrator",
};

/** Shows a page to who may do `needs`; tells anybody else whom to ask. `title`: what the page is called. */
export function RoleGate({ needs, title, children }: { needs: ConsoleAction; title: string; children: ReactNode }) {
	const { role, name } = useMe();
	if (useCan(needs)) return children;
	const who = name === "" ? "Your key" : `The key “${name}”`;
	return (
		<>
			<PageHeader title={title} />
			<EmptyState icon={Lock} title="Your key does not open this page">
				{who} {role === null ? "has no role" : `has the role ${role}`}; this page is for {WHO[needs]}. Sign in with
				another key, or ask an administrator for one.
			</EmptyState>
		</>
	);
}
