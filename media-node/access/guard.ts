import type { Clock } from "#shared/clock.ts";
import { DeniedError, hasCode } from "#shared/problem.ts";
import { type Authenticator, showsNothing } from "./access.ts";
import type { Failures } from "./failures.ts";

/**
 * Counts the failures of an authenticator, answers them late, and asks it no more while an address makes too many. Who
 * shows nothing is always let through to it: nothing can be guessed that way, and open paths stay open.
 */
export function guarded(
	inner: Authenticator,
	{ failures, clock }: { failures: Failures; clock: Clock },
): Authenticator {
	return {
		async authorize(request, signal) {
			if (showsNothing(request)) return inner.authorize(request, signal);
			if (failures.refuses(request.ip)) {
				throw new DeniedError("access.credentials", "Too many attempts have failed. Try again in a minute");
			}
			try {
				return await inner.authorize(request, signal);
			} catch (error) {
				if (hasCode(error, "access.credentials", "access.token_invalid")) {
					await clock.sleep(failures.add(request.ip), signal);
				}
				throw error;
			}
		},
	};
}
