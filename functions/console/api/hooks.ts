import { notifications } from "@mantine/notifications";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Me } from "../../routes/me.ts";
import { type ConsoleAction, isAllowed } from "./allowed.ts";
import type { Api } from "./client.ts";
import { useSession } from "./context.ts";
import { type ApiProblem, asProblem } from "./problem.ts";

const CLOSE = { "aria-label": "Close" };

export function useApi(): Api {
	return useSession().api;
}

/** Who is signed in. */
export function useMe(): Me {
	return useSession().me;
}

/** Whether who is signed in may do this: on a path, or without one anywhere. */
export function useCan(action: ConsoleAction, path?: string): boolean {
	return isAllowed(useMe().permissions, action, path);
}

export type Resource<T> = {
	/** The newest answer; it stays while the next one is asked for, or cannot be had. */
	readonly data: T | undefined;
	readonly problem: ApiProblem | null;
	/** Nothing is known yet. */
	readonly isLoading: boolean;
	refresh(): void;
};

/** Polls with etags; pauses while the tab is hidden. `null` asks nothing. */
export function useResource<T>(address: string | null, { pollMs }: { pollMs?: number } = {}): Resource<T> {
	const api = useApi();
	const { data, error, isLoading, refetch } = useQuery({
		queryKey: [address ?? ""],
		queryFn: ({ signal }) => api.get<T>(address ?? "", signal),
		enabled: address !== null,
		refetchInterval: pollMs ?? false,
	});
	return {
		data,
		problem: error === null ? null : asProblem(error),
		isLoading,
		refresh: () => void refetch(),
	};
}

export type Change<A, R> = {
	/** `null` when there was a problem. */
	run(input: A): Promise<R | null>;
	readonly isRunning: boolean;
	readonly problem: ApiProblem | null;
};

/**
 * A change: runs, tells a problem as a notification unless `quiet`, then makes resources that begin with one of `touches`
 * be asked again.
 */
export function useChange<A, R>(
	change: (api: Api, input: A) => Promise<R>,
	{ touches, done, quiet = false }: { touches: readonly string[]; done?: string; quiet?: boolean },
): Change<A, R> {
	const api = useApi();
	const resources = useQueryClient();
	const [running, setRunning] = useState(0);
	const [problem, setProblem] = useState<ApiProblem | null>(null);

	async function run(input: A): Promise<R | null> {
		setRunning((count) => count + 1);
		setProblem(null);
		try {
			const result = await change(api, input);
			if (done !== undefined) notifications.show({ message: done, color: "teal", closeButtonProps: CLOSE });
			return result;
		} catch (error) {
			const told = asProblem(error);
			setProblem(told);
			if (!quiet)
				notifications.show({
					title: "That did not work",
					message: told.message,
					color: "red",
					autoClose: 10_000,
					closeButtonProps: CLOSE,
				});
			return null;
		} finally {
			setRunning((count) => count - 1);
			// Also after a problem: the usual one is that what is on the page is out of date.
			const isTouched = (address: unknown) => touches.some((touched) => String(address).startsWith(touched));
			void resources.invalidateQueries({ predicate: ({ queryKey }) => isTouched(queryKey[0]) });
		}
	}

	return { run, isRunning: running > 0, problem };
}
