/** The order of a list as indices of what it was. */

/** That of `length` items as they are. */
export function inOrder(length: number): number[] {
	return Array.from({ length }, (_, index) => index);
}

/** With the item at `index` and the next one in each other's place. */
export function swapped(order: readonly number[], index: number): number[] {
	const [first, second] = [order[index], order[index + 1]];
	if (first === undefined || second === undefined) return [...order];
	return order.map((item, at) => (at === index ? second : at === index + 1 ? first : item));
}

/** Without the item at `index`. */
export function without(order: readonly number[], index: number): number[] {
	return order.filter((_, at) => at !== index);
}
