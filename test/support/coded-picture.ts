/** A camera of pages that films the time: black and white blocks that survive an encoder, and who reads them. */

import type { Page } from "playwright-core";

/** 24 bits of a time in ms, and 8 bits that check them. */
const COLUMNS = 8;
const ROWS = 4;
const GRID = { columns: COLUMNS, rows: ROWS, width: 640, height: 360, fps: 30 } as const;

/** A picture that came to the screen of a reader: both times in ms on one clock, which begins anew after 4.6 hours. */
export type CodedPicture = { readonly drawnAt: number; readonly shownAt: number };

export type CodedPictures = {
	/** In the order in which they came. */
	readonly pictures: readonly CodedPicture[];
	/** Pictures whose blocks are neither black nor white, or do not check. */
	readonly unreadable: number;
};

/** Makes the page's camera one that films the time of the machine, and nothing else. */
export async function filmTheTime(page: Page): Promise<void> {
	await page.evaluate(({ columns, rows, width, height, fps }) => {
		// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
		const scope = globalThis as any;
		const canvas = scope.document.createElement("canvas");
		Object.assign(canvas, { width, height });
		const context = canvas.getContext("2d", { alpha: false });
		const draw = () => {
			const time = Math.round(performance.timeOrigin + performance.now()) % 2 ** 24;
			const check = (time ^ (time >> 8) ^ (time >> 16) ^ 0x5a) & 0xff;
			for (let bit = 0; bit < columns * rows; bit++) {
				const isSet = bit < 24 ? (time >> bit) & 1 : (check >> (bit - 24)) & 1;
				context.fillStyle = isSet === 1 ? "white" : "black";
				const [x, y] = [bit % columns, Math.floor(bit / columns)];
				context.fillRect((x * width) / columns, (y * height) / rows, width / columns, height / rows);
			}
			requestAnimationFrame(draw);
		};
		const requestAnimationFrame = scope.requestAnimationFrame.bind(scope);
		draw();
		scope.navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(fps);
	}, GRID);
}

/** Begins to read the blocks of each picture that the page's player shows; forgets what it read before. */
export async function readTheTime(page: Page): Promise<void> {
	await page.evaluate(({ columns, rows }) => {
		// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
		const scope = globalThis as any;
		const isFirst = scope.codedPictures === undefined;
		scope.codedPictures = { pictures: [], unreadable: 0 };
		if (!isFirst) return;
		const video = scope.document.querySelector("video");
		const canvas = scope.document.createElement("canvas");
		Object.assign(canvas, { width: columns, height: rows });
		const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
		// One pixel of the middle of each block.
		context.imageSmoothingEnabled = false;
		const read = () => {
			// Not what the callback is given: that is when the page began its turn.
			const shownAt = (performance.timeOrigin + performance.now()) % 2 ** 24;
			video.requestVideoFrameCallback(read);
			context.drawImage(video, 0, 0, columns, rows);
			const { data } = context.getImageData(0, 0, columns, rows);
			let [time, check, isClear] = [0, 0, true];
			for (let bit = 0; bit < columns * rows; bit++) {
				const light = data[4 * bit + 1];
				if (light > 80 && light < 175) isClear = false;
				if (light < 128) continue;
				if (bit < 24) time |= 1 << bit;
				else check |= 1 << (bit - 24);
			}
			const isRight = check === ((time ^ (time >> 8) ^ (time >> 16) ^ 0x5a) & 0xff);
			if (isClear && isRight) scope.codedPictures.pictures.push({ drawnAt: time, shownAt });
			else scope.codedPictures.unreadable++;
		};
		video.requestVideoFrameCallback(read);
	}, GRID);
}

/** What was read since {@link readTheTime}. */
export function codedPictures(page: Page): Promise<CodedPictures> {
	// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
	return page.evaluate(() => (globalThis as any).codedPictures);
}

/** From the drawing of a picture until it is shown, in ms. */
export function latencyOf({ drawnAt, shownAt }: CodedPicture): number {
	return msBetween(drawnAt, shownAt);
}

/** From one time of the pictures' clock to another one, in ms; negative when that came before. */
export function msBetween(from: number, to: number): number {
	return ((to - from + 2 ** 23 + 2 ** 24) % 2 ** 24) - 2 ** 23;
}
