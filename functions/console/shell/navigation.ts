import { Coins, KeyRound, type LucideIcon, Radio, ScrollText, Server, Settings2, Webhook } from "lucide-react";
import type { ConsoleAction } from "../api/allowed.ts";

export type Destination = {
	readonly to: string;
	readonly label: string;
	readonly icon: LucideIcon;
	/** What one must be allowed to see anything there. */
	readonly needs: ConsoleAction;
};

/** Where one can go, as far as one's role is of use there. */
export const DESTINATIONS: readonly Destination[] = [
	{ to: "/", label: "Live", icon: Radio, needs: "view" },
	{ to: "/paths", label: "Paths", icon: Settings2, needs: "manage" },
	{ to: "/nodes", label: "Nodes", icon: Server, needs: "api" },
	{ to: "/webhooks", label: "Webhooks", icon: Webhook, needs: "manage" },
	{ to: "/keys", label: "Keys and tokens", icon: KeyRound, needs: "manage" },
	{ to: "/usage", label: "Usage and cost", icon: Coins, needs: "manage" },
	{ to: "/audit", label: "Audit log", icon: ScrollText, needs: "api" },
];
