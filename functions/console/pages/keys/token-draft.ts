import type { TokenRequest } from "../../../tokens/token-request.ts";
import { entriesOf } from "./lines.ts";

/** What the form for a token has in its fields. */
export type TokenDraft = {
	/** A name, `~` and a regular expression, or empty for every path. */
	readonly path: string;
	readonly actions: readonly ("read" | "publish")[];
	readonly expiresIn: string;
	readonly subject: string;
	/** Several, as people write them. */
	readonly ips: string;
	readonly countries: string;
	readonly referrers: string;
	readonly concurrency: number | null;
	readonly form: "signed" | "edge";
};

export const EMPTY_DRAFT: TokenDraft = {
	path: "",
	actions: ["read"],
	expiresIn: "8h",
	subject: "",
	ips: "",
	countries: "",
	referrers: "",
	concurrency: null,
	form: "signed",
};

/** Whether a token for this can carry limits: they are checked where HLS is served. */
export function takesLimits({ actions }: Pick<TokenDraft, "actions">): boolean {
	return actions.length === 1 && actions[0] === "read";
}

/** The request for a draft. What is left empty is left out; what is wrong with the rest, the functions say. */
export function requestOf(draft: TokenDraft): TokenRequest {
	const path = draft.path.trim();
	const limits = takesLimits(draft) ? limitsOf(draft) : {};
	return {
		permissions: draft.actions.map((action) => ({ action, path })),
		expiresIn: draft.expiresIn,
		...(draft.subject.trim() === "" ? {} : { subject: draft.subject.trim() }),
		...(Object.keys(limits).length === 0 ? {} : { limits }),
		...(draft.form === "edge" && takesLimits(draft) ? { form: "edge" as const } : {}),
	};
}

function limitsOf({ ips, countries, referrers, concurrency }: TokenDraft): NonNullable<TokenRequest["limits"]> {
	const lists = {
		ips: entriesOf(ips),
		countries: entriesOf(countries).map((country) => country.toUpperCase()),
		referrers: entriesOf(referrers).map((host) => host.toLowerCase()),
	};
	return {
		...Object.fromEntries(Object.entries(lists).filter(([, entries]) => entries.length > 0)),
		...(concurrency === null ? {} : { concurrency }),
	};
}
