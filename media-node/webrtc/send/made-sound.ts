import type { ReadableStreamOfPath } from "../../stream/publication.ts";
import type { OutgoingTrack } from "../sdp/negotiate-read.ts";

/** A stream with sound that was made for a peer, and the tracks of it that the peer gets. */
export type MadeSound = { readonly stream: ReadableStreamOfPath; readonly tracks: readonly OutgoingTrack[] };

/**
 * Tells the tracks that a peer gets of its stream from those of `opus`, which were made of the stream's sound. `null`:
 * it gets none of these.
 */
export function withoutMadeSound(
	sent: readonly OutgoingTrack[],
	opus: ReadableStreamOfPath | null,
): { readonly tracks: readonly OutgoingTrack[]; readonly sound: MadeSound | null } {
	const made = opus?.tracks ?? [];
	const ofSound = sent.filter(({ track }) => made.includes(track));
	const tracks = sent.filter(({ track }) => !made.includes(track));
	return { tracks, sound: opus === null || ofSound.length === 0 ? null : { stream: opus, tracks: ofSound } };
}
