/** Names beside dots, so that they do not cover each other. */

import type { Point } from "./projection.ts";

export type LabelledDot = Point & { readonly radius: number; readonly label: string };
/** Where the text begins, or ends, on its middle line. */
export type LabelPlace = Point & { readonly anchor: "start" | "end" };
type Box = { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number };

const GAP = 8;
/** Of a letter of a semi-bold font without serifs, in font sizes; rather too wide. */
const LETTER_WIDTH = 0.62;

/** One place for each dot: at its side, or a line or two above or below. Crowded ones may cover each other after all. */
export function placeLabels(dots: readonly LabelledDot[], fontSize: number, mapWidth: number): readonly LabelPlace[] {
	const taken: Box[] = dots.map(({ x, y, radius }) => ({
		left: x - radius,
		right: x + radius,
		top: y - radius,
		bottom: y + radius,
	}));
	return dots.map((dot) => {
		const width = dot.label.length * fontSize * LETTER_WIDTH;
		const candidates = [0, 1, -1, 2, -2].flatMap((lines) =>
			(["start", "end"] as const).map((anchor) => {
				const x = anchor === "start" ? dot.x + dot.radius + GAP : dot.x - dot.radius - GAP;
				return { x, y: dot.y + lines * fontSize, anchor };
			}),
		);
		const boxes = candidates.map(({ x, y, anchor }) => ({
			left: anchor === "start" ? x : x - width,
			right: anchor === "start" ? x + width : x,
			top: y - fontSize / 2,
			bottom: y + fontSize / 2,
		}));
		const fits = ({ left, right }: Box) => left >= 0 && right <= mapWidth;
		const free = boxes.findIndex((box) => fits(box) && !taken.some((other) => overlap(box, other)));
		const chosen = free >= 0 ? free : Math.max(0, boxes.findIndex(fits));
		const box = boxes[chosen];
		if (box !== undefined) taken.push(box);
		return candidates[chosen] ?? { x: dot.x, y: dot.y, anchor: "start" };
	});
}

function overlap(a: Box, b: Box): boolean {
	return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
