/** Says whether two byte strings are the same, in a time that depends on their lengths alone. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
	let difference = a.length ^ b.length;
	for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i % Math.max(1, b.length)] ?? 0);
	return difference === 0;
}
