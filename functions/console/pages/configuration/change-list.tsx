import { Button, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import classes from "./change-list.module.css";
import type { Change } from "./draft.ts";
import { valueText } from "./field-value.ts";
import { hasSecret, masked } from "./secret.ts";

const WORDS = { added: "set", removed: "no longer set", changed: "changed" } as const;

/** Settings that are different, each with what it was and what it is. */
export function ChangeList({ changes, label }: { changes: readonly Change[]; label: string }) {
	const [isShown, setShown] = useState(false);
	if (changes.length === 0) return <Text c="dimmed">Nothing is different.</Text>;
	const hasSecrets = changes.some(({ key, before, after }) => hasSecret(key, [before, after]));
	return (
		<Stack gap="xs">
			<ul className={classes["list"]} aria-label={label}>
				{changes.map((change) => (
					<ChangeItem key={change.key} change={change} isShown={isShown} />
				))}
			</ul>
			{hasSecrets && (
				<Group>
					<Button variant="subtle" size="compact-xs" onClick={() => setShown(!isShown)}>
						{isShown ? "Hide secrets" : "Show secrets"}
					</Button>
				</Group>
			)}
		</Stack>
	);
}

function ChangeItem({ change, isShown }: { change: Change; isShown: boolean }) {
	const { key, kind, before, after } = change;
	const text = (value: unknown) => valueText(isShown ? value : masked(key, value));
	const isSecretOnly = !isShown && kind === "changed" && text(before) === text(after);
	return (
		<li className={classes["item"]}>
			<div>
				<code className={classes["key"]}>{key}</code>{" "}
				<Text span size="sm" c="dimmed">
					{WORDS[kind]}
					{isSecretOnly && ": only what is secret in it"}
				</Text>
			</div>
			{kind !== "added" && (
				<del className={classes["before"]}>
					<span aria-hidden>− </span>
					{text(before)}
				</del>
			)}
			{kind !== "removed" && (
				<ins className={classes["after"]}>
					<span aria-hidden>+ </span>
					{text(after)}
				</ins>
			)}
		</li>
	);
}
