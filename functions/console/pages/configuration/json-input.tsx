import { Textarea } from "@mantine/core";
import { useState } from "react";
import { isSame } from "./draft.ts";
import type { SingleInputProps } from "./value-input-props.ts";

/** A value that has no input of its own, as JSON. While the text is none, it is the value: the schema refuses it. */
export function JsonInput(props: SingleInputProps) {
	const { value, onChange, ...rest } = props;
	const [text, setText] = useState(JSON.stringify(value));
	const shown = isSame(parsed(text), value) ? text : JSON.stringify(value);
	return (
		<Textarea
			{...rest}
			value={shown}
			autosize
			minRows={2}
			spellCheck={false}
			styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
			onChange={(event) => {
				setText(event.currentTarget.value);
				onChange(parsed(event.currentTarget.value));
			}}
		/>
	);
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		// JSON.parse has no other way to say no.
		return text;
	}
}
