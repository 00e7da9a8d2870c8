/** How long a token or stream key that the console makes is good for. */
export const LIVES = [
	{ value: "1h", label: "1 hour" },
	{ value: "8h", label: "8 hours" },
	{ value: "24h", label: "1 day" },
	{ value: "168h", label: "7 days" },
	{ value: "720h", label: "30 days" },
	{ value: "8760h", label: "1 year" },
] as const;
