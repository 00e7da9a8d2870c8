/** Shells, and what passes `-c` on to one: the word after an option with `c` is a script, what follows is not. */
const SHELLS = /^(?:sh|bash|dash|ash|ksh|mksh|zsh|fish|csh|tcsh|rbash|busybox|su|runuser|flock|script)$/;
/** Interpreters: the word after `-c`, `-e`, `-E`, `-r`, `-p` or their long forms is a program. */
const INTERPRETERS =
	/^(?:python[0-9.]*|pypy[0-9.]*|perl[0-9.]*|ruby[0-9.]*|node|nodejs|deno|bun|php[0-9.]*|lua[0-9.]*|tclsh)$/;
/** Programs that may run any of their arguments, here or on another machine. */
const RUNNERS = /^(?:ssh|eval|awk|gawk|mawk|nawk|sed|expect|parallel|watch)$/;

const SHELL_OPTION = /^[-+][A-Za-z]*c[A-Za-z]*$|^--command$/;
const INTERPRETER_OPTION = /^-[A-Za-z]*[ceErp]$|^--(?:eval|print|command|run)$/;
/** An option with its script in the same word: `--eval=…`, `-e…`. */
const ATTACHED = /^--(?:eval|print|command|run)=|^-[ceEr][^A-Za-z]/;

/**
 * Says whether the word at `index` is read as a script by the program of the command, or by one that this program
 * starts (`nice bash -c …`, `docker exec camera sh -c …`). Says so too often rather than too rarely.
 */
export function isScriptWord(words: readonly string[], index: number): boolean {
	const word = words[index] ?? "";
	for (let program = 0; program < index; program++) {
		const name = baseName(words[program] ?? "");
		if (RUNNERS.test(name)) return true;
		const option = SHELLS.test(name) ? SHELL_OPTION : INTERPRETERS.test(name) ? INTERPRETER_OPTION : null;
		if (option === null) continue;
		if (ATTACHED.test(word)) return true;
		// Other options may stand between: bash -c -e 'script'.
		let before = index - 1;
		while (before > program && /^[-+]/.test(words[before] ?? "")) {
			if (option.test(words[before] ?? "")) return true;
			before--;
		}
	}
	return false;
}

function baseName(program: string): string {
	return program.slice(program.lastIndexOf("/") + 1);
}
