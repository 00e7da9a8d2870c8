import { Button, Group, SegmentedControl, Stack, Text, Textarea } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { Check, Copy, Eye } from "lucide-react";
import { useState } from "react";
import { isSame, type Overrides } from "./draft.ts";
import { overridesText, readOverridesText, type TextFormat } from "./overrides-text.ts";
import { hasSecret, masked } from "./secret.ts";

type TextViewProps = {
	readonly overrides: Overrides;
	readonly onChange: (overrides: Overrides) => void;
	/** Text that cannot be read is not what would be saved. */
	readonly onReadable: (isReadable: boolean) => void;
};

/** What is set, as text: to copy, to change, and to paste into. */
export function TextView({ overrides, onChange, onReadable }: TextViewProps) {
	const [format, setFormat] = useState<TextFormat>("yaml");
	const [typed, setTyped] = useState<string | null>(null);
	const [isShown, setShown] = useState(false);
	const { copy, copied } = useClipboard({ timeout: 2000 });

	const read = typed === null ? null : readOverridesText(typed);
	const isSecret = typed === null && !isShown && hasSecret("", overrides);
	// What is typed stays as it is typed while it says the same as the draft.
	const isCurrent = read === null || read.overrides === null || isSame(read.overrides, overrides);
	const own = overridesText(isSecret ? masked("", overrides) : overrides, format);
	const text = typed !== null && isCurrent ? typed : own;

	function type(next: string) {
		const { overrides: found } = readOverridesText(next);
		setTyped(next);
		onReadable(found !== null);
		if (found !== null) onChange(found);
	}

	function show(next: TextFormat) {
		setFormat(next);
		setTyped(null);
		onReadable(true);
	}

	return (
		<Stack gap="sm">
			<Group justify="space-between">
				<SegmentedControl
					size="xs"
					aria-label="Format"
					value={format}
					onChange={(next) => show(next === "json" ? "json" : "yaml")}
					data={[
						{ value: "yaml", label: "YAML" },
						{ value: "json", label: "JSON" },
					]}
				/>
				<Group gap="xs">
					{isSecret && (
						<Button
							size="xs"
							variant="default"
							leftSection={<Eye size={14} aria-hidden />}
							onClick={() => setShown(true)}
						>
							Show secrets to edit
						</Button>
					)}
					<Button
						size="xs"
						variant="default"
						leftSection={copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
						onClick={() => copy(typed ?? overridesText(overrides, format))}
					>
						{copied ? "Copied" : "Copy"}
					</Button>
				</Group>
			</Group>
			<Textarea
				label="What is set here"
				description={
					format === "yaml"
						? "As below the name of a path in paths: of a configuration file. Paste YAML or JSON."
						: "As the API takes it. Paste YAML or JSON."
				}
				placeholder={"source: rtsp://camera.example:554/stream\nsourceOnDemand: true"}
				value={text}
				readOnly={isSecret}
				error={read?.fault ?? null}
				autosize
				minRows={8}
				maxRows={40}
				spellCheck={false}
				styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
				onChange={(event) => type(event.currentTarget.value)}
			/>
			{read?.fault != null && (
				<Text size="sm" c="dimmed">
					The form keeps what the text said last without a fault.{" "}
					<Button variant="subtle" size="compact-xs" onClick={() => show(format)}>
						Undo what I typed
					</Button>
				</Text>
			)}
		</Stack>
	);
}
