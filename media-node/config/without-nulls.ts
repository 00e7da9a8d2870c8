type Raw = Record<string, unknown>;

/** A configuration without keys that have no value: they say nothing, as in MediaMTX; but a path without one is a path. */
export function withoutNulls(raw: Readonly<Raw>): Raw {
	const paths = raw["paths"];
	const top = prune(raw) as Raw;
	if (isMap(paths)) {
		top["paths"] = Object.fromEntries(Object.entries(paths).map(([name, entry]) => [name, prune(entry ?? {})]));
	}
	return top;
}

function prune(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(prune);
	if (!isMap(value)) return value;
	const entries = Object.entries(value).filter(([, inner]) => inner !== null);
	return Object.fromEntries(entries.map(([key, inner]) => [key, prune(inner)]));
}

function isMap(value: unknown): value is Raw {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
