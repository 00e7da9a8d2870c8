/** The number nearest to `reference` that is `rtpTime` modulo 2^32: time stamps that do not wrap. Both are whole. */
export function nearestTimestamp(reference: number, rtpTime: number): number {
	return reference + ((rtpTime - reference) | 0);
}
