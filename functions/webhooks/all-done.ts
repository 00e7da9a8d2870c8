/** Waits for all of them, and only then fails as the first one that failed: nothing goes on behind its caller's back. */
export async function allDone(works: readonly Promise<void>[]): Promise<void> {
	const failed = (await Promise.allSettled(works)).find(({ status }) => status === "rejected");
	if (failed?.status === "rejected") throw failed.reason;
}
