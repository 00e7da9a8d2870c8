/** Whether a move within the console leaves the form: to another page, or to another tab of this one. */
export function isLeaving(from: string, to: string): boolean {
	const [here, there] = [URL.parse(from), URL.parse(to)];
	if (here === null || there === null || there.origin !== here.origin) return true;
	return there.pathname !== here.pathname || there.searchParams.get("tab") !== here.searchParams.get("tab");
}
