import { createContext, useContext } from "react";
import type { Me } from "../../routes/me.ts";
import type { Api } from "./client.ts";

/** Somebody is signed in: who, by what, and how to ask. */
export type Session = {
	readonly api: Api;
	readonly me: Me;
	signOut(): void;
};

export const SessionContext = createContext<Session | null>(null);

/** Only below the shell, where somebody is signed in. */
export function useSession(): Session {
	const session = useContext(SessionContext);
	if (session === null) throw new TypeError("Cannot use the session where nobody is signed in");
	return session;
}
