import { NativeSelect, Switch, Textarea, TextInput } from "@mantine/core";
import { faultText } from "./field-fault.ts";
import { hintOf, inputText } from "./field-value.ts";
import { JsonInput } from "./json-input.tsx";
import { ListInput } from "./list-input.tsx";
import { NumberInput } from "./number-input.tsx";
import { ObjectInput } from "./object-input.tsx";
import { SecretInput } from "./secret-input.tsx";
import type { RenderInput, ValueInputProps } from "./value-input-props.ts";

const MONOSPACE = { input: { fontFamily: "var(--mantine-font-family-monospace)" } };

const render: RenderInput = ({ key, ...props }) => <ValueInput key={key} {...props} />;

/** An input for a value of some kind, with its label, its words and what is wrong with it. */
export function ValueInput(props: ValueInputProps) {
	const { id, kind, value, label, description, faults, at, readOnly, onChange } = props;
	const named = label === null ? { "aria-label": props.plainLabel } : { label };
	const shared = { id, ...named, description, error: faultText(faults, at), disabled: readOnly };
	switch (kind.type) {
		case "boolean":
			return (
				<Switch
					{...shared}
					styles={{ label: { fontWeight: 500 } }}
					checked={value === true}
					onChange={(event) => onChange(event.currentTarget.checked)}
				/>
			);
		case "choice":
			return (
				<NativeSelect
					{...shared}
					value={inputText(value)}
					data={kind.choices.map((choice) => ({ value: choice, label: choice === "" ? "none" : choice }))}
					onChange={(event) => onChange(event.currentTarget.value)}
				/>
			);
		case "number":
			return <NumberInput {...shared} kind={kind} value={value} onChange={onChange} />;
		case "list":
		case "oneOrMore":
			return <ListInput {...props} kind={kind} render={render} />;
		case "object":
			return <ObjectInput {...props} members={kind.members} render={render} />;
		case "json":
			return <JsonInput {...shared} value={value} onChange={onChange} />;
		case "text":
			if (props.isLong) {
				return (
					<Textarea
						{...shared}
						value={inputText(value)}
						autosize
						minRows={3}
						maxRows={16}
						spellCheck={false}
						styles={MONOSPACE}
						onChange={(event) => onChange(event.currentTarget.value)}
					/>
				);
			}
			return <SecretInput {...props} {...shared} value={inputText(value)} />;
		default:
			return (
				<TextInput
					{...shared}
					value={inputText(value)}
					placeholder={hintOf(kind)}
					spellCheck={false}
					autoComplete="off"
					styles={MONOSPACE}
					onChange={(event) => onChange(event.currentTarget.value)}
				/>
			);
	}
}
