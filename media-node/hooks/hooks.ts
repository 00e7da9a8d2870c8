/**
 * The moments that last, by the key of the command that runs as long as they do: its restart flag, and the key of the
 * command that runs once they are over.
 */
export const MOMENTS = {
	/** A client is connected. */
	runOnConnect: { restart: "runOnConnectRestart", closing: "runOnDisconnect" },
	/** The path is in the configuration, or a client made it from a regular expression. */
	runOnInit: { restart: "runOnInitRestart", closing: null },
	/** Somebody wants to read a path that nobody publishes to. */
	runOnDemand: { restart: "runOnDemandRestart", closing: "runOnUnDemand" },
	/** The stream can be read. */
	runOnAvailable: { restart: "runOnAvailableRestart", closing: "runOnUnavailable" },
	/** The stream can be read and comes from its source, not from an offline segment. */
	runOnOnline: { restart: "runOnOnlineRestart", closing: "runOnOffline" },
	/** A client reads. */
	runOnRead: { restart: "runOnReadRestart", closing: "runOnUnread" },
} as const;

/** The moments without a length. */
export const INSTANTS = ["runOnRecordSegmentCreate", "runOnRecordSegmentComplete"] as const;

/** A moment that lasts, named by its opening hook. */
export type MomentHook = keyof typeof MOMENTS;
/** A moment without a length. */
export type InstantHook = (typeof INSTANTS)[number];
/** The hook at the end of a moment that lasts. */
export type ClosingHook = NonNullable<(typeof MOMENTS)[MomentHook]["closing"]>;
/** Every hook that has a command. */
export type Hook = MomentHook | InstantHook | ClosingHook;
/** The flag that a hook's command runs again when it exits. */
export type HookRestart = (typeof MOMENTS)[MomentHook]["restart"];

/** The hooks of the configuration, global or of a path. An absent or empty command is not run. */
export type HookConfig = { readonly [H in Hook]?: string | null | undefined } & {
	readonly [R in HookRestart]?: boolean | undefined;
};

/** Every hook there is, each opening one before its closing one. */
export const HOOKS: readonly Hook[] = [
	...(Object.keys(MOMENTS) as MomentHook[]).flatMap((hook): Hook[] => {
		const { closing } = MOMENTS[hook];
		return closing === null ? [hook] : [hook, closing];
	}),
	...INSTANTS,
];
