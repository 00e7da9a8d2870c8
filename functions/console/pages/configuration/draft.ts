/** What a form holds before it is saved: the settings that a path says of its own. Values of JSON, never changed in place. */

export type Overrides = Readonly<Record<string, unknown>>;

/** Whether two values of JSON are the same; the order of members does not count. */
export function isSame(a: unknown, b: unknown): boolean {
	if (Object.is(a, b)) return true;
	if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
	if (Array.isArray(a) !== Array.isArray(b)) return false;
	const [membersA, membersB] = [definedMembers(a), definedMembers(b)];
	const valuesB = new Map(membersB);
	return (
		membersA.length === membersB.length &&
		membersA.every(([key, value]) => valuesB.has(key) && isSame(value, valuesB.get(key)))
	);
}

function definedMembers(value: object): [string, unknown][] {
	return Object.entries(value).filter(([, member]) => member !== undefined);
}

/** `overrides` with one setting of another value; `undefined` takes it out. */
export function withSetting(overrides: Overrides, key: string, value: unknown): Overrides {
	const result = new Map(Object.entries(overrides));
	if (value === undefined) result.delete(key);
	else result.set(key, value);
	return Object.fromEntries(result);
}

export type Change = {
	readonly key: string;
	readonly kind: "added" | "removed" | "changed";
	readonly before: unknown;
	readonly after: unknown;
};

/** What is different in `after`, by key. */
export function changesBetween(before: Overrides, after: Overrides): Change[] {
	const [was, is] = [new Map(definedMembers(before)), new Map(definedMembers(after))];
	const keys = [...new Set([...was.keys(), ...is.keys()])].sort();
	return keys.flatMap((key): Change[] => {
		const change = { key, before: was.get(key), after: is.get(key) };
		if (!was.has(key)) return [{ ...change, kind: "added" }];
		if (!is.has(key)) return [{ ...change, kind: "removed" }];
		return isSame(change.before, change.after) ? [] : [{ ...change, kind: "changed" }];
	});
}

/**
 * What two people have made of the same document: `theirs`, with what `mine` has changed since `base`; and the keys that
 * both have changed, to different values, in which mine goes before theirs.
 */
export function merged(base: Overrides, mine: Overrides, theirs: Overrides): { overrides: Overrides; both: string[] } {
	const changes = changesBetween(base, mine);
	const theirChanges = new Set(changesBetween(base, theirs).map(({ key }) => key));
	const values = new Map(Object.entries(theirs));
	const both = changes.filter(({ key, after }) => theirChanges.has(key) && !isSame(after, values.get(key)));
	const overrides = changes.reduce((result, { key, after }) => withSetting(result, key, after), theirs);
	return { overrides, both: both.map(({ key }) => key) };
}

/** `1 change`, `3 changes`. */
export function changesText(count: number): string {
	return count === 1 ? "1 change" : `${count} changes`;
}
