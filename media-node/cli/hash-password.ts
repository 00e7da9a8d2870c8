import { text } from "node:stream/consumers";
import { InputError } from "#shared/problem.ts";
import { hashPassword, MAX_PASSWORD_LENGTH } from "../access/password.ts";

/** Reads one line from standard input and prints `argon2:…` for a `pass:` in the configuration. */
export async function hashPasswordCommand(): Promise<void> {
	if (process.stdin.isTTY) process.stderr.write("Password, then Enter and Ctrl-D: ");
	const password = (await text(process.stdin)).replace(/\r?\n$/, "");
	if (password === "" || password.length > MAX_PASSWORD_LENGTH) {
		throw new InputError(
			"input.invalid",
			`The password on standard input must have 1 to ${MAX_PASSWORD_LENGTH} characters`,
		);
	}
	console.log(await hashPassword(password));
}
