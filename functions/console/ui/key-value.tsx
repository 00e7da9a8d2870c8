import type { ReactNode } from "react";
import classes from "./key-value.module.css";

export type KeyValueItem = { readonly label: string; readonly value: ReactNode };

/** Facts, each with its name. */
export function KeyValue({ items }: { items: readonly KeyValueItem[] }) {
	return (
		<dl className={classes["list"]}>
			{items.map(({ label, value }) => (
				<div key={label} className={classes["pair"]}>
					<dt className={classes["label"]}>{label}</dt>
					<dd className={classes["value"]}>{value}</dd>
				</div>
			))}
		</dl>
	);
}
