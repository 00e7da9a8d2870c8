import { useEffect, useRef, useState } from "react";
import { isLeaving } from "./leaving.ts";

export type LeaveGuard = {
	/** Where somebody wants to go while there are unsaved changes. */
	readonly wanted: string | null;
	stay(): void;
	leave(): void;
};

/** Holds moves away while `isDirty`: those within the console to ask first, the others by the browser's own question. */
export function useLeaveGuard(isDirty: boolean): LeaveGuard {
	const [wanted, setWanted] = useState<string | null>(null);
	const isLetGo = useRef(false);

	useEffect(() => {
		if (!isDirty) return;
		isLetGo.current = false;
		const controller = new AbortController();
		const { signal } = controller;
		window.addEventListener("beforeunload", (event) => !isLetGo.current && event.preventDefault(), { signal });
		// A browser without the Navigation API asks nothing within the console.
		if (!("navigation" in window)) return () => controller.abort();
		window.navigation.addEventListener(
			"navigate",
			(event) => {
				const { sameDocument, url } = event.destination;
				if (isLetGo.current || !sameDocument || !event.cancelable || !isLeaving(location.href, url)) return;
				event.preventDefault();
				setWanted(url);
			},
			{ signal },
		);
		return () => controller.abort();
	}, [isDirty]);

	return {
		wanted,
		stay: () => setWanted(null),
		leave() {
			if (wanted === null) return;
			isLetGo.current = true;
			setWanted(null);
			history.pushState(null, "", wanted);
		},
	};
}
