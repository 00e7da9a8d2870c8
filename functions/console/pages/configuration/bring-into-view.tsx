import { type ReactNode, useEffect, useRef } from "react";
import classes from "./bring-into-view.module.css";

/** Scrolls to what it holds whenever `on` becomes something else than `null`: an answer must not come out of sight. */
export function BringIntoView({ on, children }: { on: unknown; children: ReactNode }) {
	const place = useRef<HTMLDivElement>(null);
	useEffect(() => {
		if (on !== null) place.current?.scrollIntoView({ block: "nearest" });
	}, [on]);
	return (
		<div ref={place} className={classes["place"]} aria-live="polite">
			{children}
		</div>
	);
}
