/** A 64-bit NTP time stamp: seconds since 1900 modulo 2^32, and 2^32nds of a second. RFC 5905 §6. */
export type Ntp = { readonly seconds: number; readonly fraction: number };

/** Seconds from 1900 to 1970. */
const UNIX_EPOCH = 2_208_988_800;
const ERA = 2 ** 32;

/** The NTP time stamp of a moment in milliseconds since the Unix epoch. */
export function ntpOf(unixMs: number): Ntp {
	const whole = Math.floor(unixMs / 1000);
	const fraction = Math.floor(((unixMs - whole * 1000) / 1000) * ERA);
	return { seconds: (whole + UNIX_EPOCH) % ERA, fraction };
}

/** Milliseconds since the Unix epoch. Seconds with their highest bit clear are of the era that begins in 2036. */
export function unixMsOf({ seconds, fraction }: Ntp): number {
	const era = seconds < ERA / 2 ? ERA : 0;
	return (seconds + era - UNIX_EPOCH) * 1000 + (fraction / ERA) * 1000;
}

/** The middle 32 bits, in 65536ths of a second: how reports refer to each other. RFC 3550 §4. */
export function compactNtp({ seconds, fraction }: Ntp): number {
	return (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0;
}
