import { TextInput } from "@mantine/core";
import { useState } from "react";
import type { FieldKind } from "./field-kind.ts";
import { hintOf, inputText, typedValue } from "./field-value.ts";
import type { SingleInputProps } from "./value-input-props.ts";

/** A number; what is typed stays as it is typed, so that `1.0` can become `1.05`. */
export function NumberInput(props: SingleInputProps & { readonly kind: FieldKind & { type: "number" } }) {
	const { kind, value, onChange, ...rest } = props;
	const [text, setText] = useState(inputText(value));
	const shown = Object.is(typedValue(kind, text), value) ? text : inputText(value);
	return (
		<TextInput
			{...rest}
			value={shown}
			inputMode={kind.isInteger && (kind.min ?? -1) >= 0 ? "numeric" : "decimal"}
			placeholder={hintOf(kind)}
			autoComplete="off"
			onChange={(event) => {
				setText(event.currentTarget.value);
				onChange(typedValue(kind, event.currentTarget.value));
			}}
		/>
	);
}
