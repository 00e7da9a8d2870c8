import { Button, Center, Loader, Stack, Title } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Me } from "../../routes/me.ts";
import { createApi } from "../api/client.ts";
import { type Session, SessionContext } from "../api/context.ts";
import { type ApiProblem, asProblem } from "../api/problem.ts";
import { SignInPage } from "../pages/sign-in/sign-in-page.tsx";
import { ProblemAlert } from "../ui/problem-alert.tsx";
import { storedKey, storeKey } from "./session-key.ts";

const REFUSED = "This key is not let in: it is of another server, or it expired, was disabled or deleted.";
const ENDED = "You were signed out: the key is no longer valid. It expired, was disabled or deleted.";

/** Shows `children` to who is signed in, and the way to sign in to everybody else. */
export function SessionGate({ children }: { children: ReactNode }) {
	const [key, setKey] = useState(storedKey);
	const [reason, setReason] = useState<string | null>(null);
	const [me, setMe] = useState<Me | null>(null);
	const [problem, setProblem] = useState<ApiProblem | null>(null);
	const [attempt, setAttempt] = useState(0);
	const resources = useQueryClient();
	const current = useRef(key);
	/** Whether the key was let in before, now or before the page was loaded again. */
	const wasIn = useRef(key !== null);

	const enter = useCallback(
		(next: string | null, why: string | null) => {
			current.current = next;
			wasIn.current = false;
			storeKey(next);
			// What one has seen, the next one must not.
			resources.clear();
			setMe(null);
			setProblem(null);
			setReason(why);
			setKey(next);
		},
		[resources],
	);
	const api = useMemo(
		() =>
			createApi(
				window.location.origin,
				() => key,
				() => current.current === key && enter(null, wasIn.current ? ENDED : REFUSED),
			),
		[key, enter],
	);

	// biome-ignore lint/correctness/useExhaustiveDependencies: another attempt asks again.
	useEffect(() => {
		if (key === null) return;
		const leaving = new AbortController();
		setProblem(null);
		api.get<Me>("/v1/me", leaving.signal).then(
			(found) => {
				wasIn.current = true;
				setMe(found);
			},
			(error: unknown) => {
				if (!leaving.signal.aborted) setProblem(asProblem(error));
			},
		);
		return () => leaving.abort();
	}, [api, key, attempt]);

	const session = useMemo<Session | null>(
		() => (me === null ? null : { api, me, signOut: () => enter(null, null) }),
		[api, me, enter],
	);

	if (key === null) return <SignInPage reason={reason} onSignIn={(given) => enter(given, null)} />;
	if (session !== null) return <SessionContext value={session}>{children}</SessionContext>;
	return (
		<Center component="main" mih="100dvh" p="md">
			{problem === null ? (
				<Loader aria-label="Signing in" />
			) : (
				<Stack maw={480}>
					<Title order={1} size="h3">
						Sluice
					</Title>
					<ProblemAlert problem={problem} />
					<Button onClick={() => setAttempt(attempt + 1)}>Try again</Button>
					<Button variant="default" onClick={() => enter(null, null)}>
						Use another key
					</Button>
				</Stack>
			)}
		</Center>
	);
}
