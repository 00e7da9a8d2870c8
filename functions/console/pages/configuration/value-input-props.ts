import type { ReactNode } from "react";
import type { FieldFault } from "./field-fault.ts";
import type { FieldKind } from "./field-kind.ts";

/** What every input of the form is told. */
export type ValueInputProps = {
	readonly id: string;
	/** Of the setting, or of the member of an object: says what is secret. */
	readonly name: string;
	readonly kind: FieldKind;
	readonly value: unknown;
	readonly label: ReactNode;
	/** The label as words alone. */
	readonly plainLabel: string;
	readonly description?: ReactNode;
	/** Of the whole setting. */
	readonly faults: readonly FieldFault[];
	/** Where in the setting this is. */
	readonly at: readonly string[];
	readonly isLong?: boolean;
	readonly readOnly: boolean;
	readonly onChange: (value: unknown) => void;
};

/** What an input of a single value is told. */
export type SingleInputProps = {
	readonly id: string;
	readonly label?: ReactNode;
	readonly "aria-label"?: string;
	readonly description: ReactNode;
	readonly error: string | null;
	readonly disabled: boolean;
	readonly value: unknown;
	readonly onChange: (value: unknown) => void;
};

/** What lists and objects have their parts shown with. */
export type RenderInput = (props: ValueInputProps & { readonly key: string }) => ReactNode;
