import { Button, Group, Select, Stack } from "@mantine/core";
import { type ReactNode, useState } from "react";
import type { Api } from "../../api/client.ts";
import { useChange } from "../../api/hooks.ts";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { LIVES } from "./life.ts";

export type AccessMakerProps<A> = {
	/** What the button does: `Make a stream key`. */
	readonly label: string;
	readonly lifeLabel: string;
	readonly make: (api: Api, expiresIn: string) => Promise<A>;
	readonly children: (access: A) => ReactNode;
};

/** Makes a credential with a life that the person chooses, and then shows what can be done with it. */
export function AccessMaker<A>({ label, lifeLabel, make, children }: AccessMakerProps<A>) {
	const [life, setLife] = useState<string>("24h");
	const [access, setAccess] = useState<A | null>(null);
	const { run, isRunning, problem } = useChange(make, { touches: [], quiet: true });
	return (
		<Stack gap="md">
			<Group align="flex-end" gap="sm">
				<Select
					label={lifeLabel}
					w={200}
					data={LIVES}
					value={life}
					allowDeselect={false}
					onChange={(value) => setLife(value ?? "24h")}
				/>
				<Button
					variant={access === null ? "filled" : "default"}
					loading={isRunning}
					onClick={() => void run(life).then((made) => made !== null && setAccess(made))}
				>
					{access === null ? label : "Make another one"}
				</Button>
			</Group>
			<ProblemAlert problem={problem} />
			{access !== null && children(access)}
		</Stack>
	);
}
