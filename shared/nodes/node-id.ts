import * as z from "zod";

/** The name of a node in the bucket, and of its objects: no `.` or `..`, which no key may have as a part. */
export const nodeIdSchema = z
	.string()
	.regex(/^(?!\.{1,2}$)[0-9A-Za-z_.-]{1,64}$/, "must be 1 to 64 letters, digits, _ . or -");

export const regionSchema = z.string().regex(/^[0-9A-Za-z_-]{0,32}$/, "must be at most 32 letters, digits, _ or -");
