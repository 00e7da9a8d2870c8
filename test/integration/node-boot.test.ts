import path from "node:path";
import { describe, expect, it } from "vitest";
import { NODE_PORTS } from "../../infra/node/ports.ts";
import { makeRelease } from "../../infra/node/release.ts";
import { userData } from "../../infra/node/user-data.ts";
import { bootMachine, cloudConfig, packNode, SERVED, SERVER_PORT } from "../support/fresh-machine.ts";
import { tempDir } from "../support/temp-dir.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

describe("the user data of a node", () => {
	it("makes a fresh machine a healthy node that has joined, under a user without powers, with the listed ports alone", async () => {
		await using folder = await tempDir();
		const served = path.join(folder.path, "served");
		const runtime = await packNode(served);
		const release = await makeRelease(ROOT, served);
		const text = userData({
			root: ROOT,
			release: { url: `${SERVED}/${path.basename(release.file)}`, sha256: release.sha256 },
			runtime,
			environment: {
				SLUICE_NODEHEARTBEAT: "1s",
				SLUICE_NODEID: "fresh",
				SLUICE_NODEPUBLICHOST: "192.0.2.7",
			},
			command: ["join", "--control", "http://127.0.0.1:8888", "--key", "@/etc/sluice/join-key"],
		});
		expect(cloudConfig(text).packages).toEqual(["ffmpeg"]);
		const said = await bootMachine(folder.path, text, { before: START_FUNCTIONS, check: CHECK });
		const section = (name: string) => said.split(`== ${name}\n`)[1]?.split("\n== ")[0]?.trim() ?? "";
		expect(said).toContain(`installed release release-${release.sha256.slice(0, 16)} on v${runtime.version}`);
		const { items } = JSON.parse(section("nodes")) as { items: Record<string, unknown>[] };
		expect(items).toMatchObject([{ id: "fresh", state: "active", host: "192.0.2.7", fault: null }]);
		expect(section("metrics")).toMatch(/^# HELP /m);
		expect(section("process")).toMatch(/^sluice\nCapEff:\t0+\nCapBnd:\t0+\nno_new_privs:\t1$/);
		expect(section("state")).toBe("700 sluice");
		expect(section("writable")).toBe("no");
		const own = [`tcp ${SERVER_PORT}`, "tcp 8888", "tcp 9990", "tcp 9998"];
		const open = section("ports")
			.split("\n")
			.filter((line) => !own.includes(line));
		const listed = NODE_PORTS.flatMap(({ protocol, from, to }) => range(from, to).map((port) => `${protocol} ${port}`));
		// RTSPS and challenges of ACME are for nodes with a certificate.
		expect(open.sort()).toEqual(listed.filter((line) => line !== "tcp 8322" && line !== "tcp 80").sort());
		expect(section("again")).toBe("sluice-install: installed release");
	}, 120_000);

	it("installs nothing when the release is not the one that was named", async () => {
		await using folder = await tempDir();
		const served = path.join(folder.path, "served");
		const runtime = await packNode(served);
		const text = userData({
			root: ROOT,
			release: { url: `${SERVED}/node.tgz`, sha256: "0".repeat(64) },
			runtime,
			environment: {},
		});
		await expect(bootMachine(folder.path, text, { check: "echo installed" })).rejects.toThrow(
			/node\.tgz is not the file that was released: its sha256sum is another one/,
		);
	}, 60_000);
});

function range(from: number, to: number): number[] {
	return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** The functions of somewhere else: here, a second Sluice of the same release, with a bucket in a folder. */
const START_FUNCTIONS = `
install -d -o sluice -g sluice /srv/control
sluice() {
	env -C /srv/control SLUICE_DATADIR=/srv/control SLUICE_BUCKET=file:/srv/control/bucket SLUICE_RTSP=no SLUICE_WEBRTC=no \\
		SLUICE_METRICSADDRESS=127.0.0.1:9990 SLUICE_FUNCTIONSADDRESS=127.0.0.1:8888 setpriv --reuid sluice --regid sluice \\
		--clear-groups /opt/sluice/node/bin/node /opt/sluice/current/media-node/cli/sluice.ts "$@"
}
sluice start >/tmp/functions.log 2>&1 &
functions=$!
for attempt in $(seq 200); do
	curl -fs http://127.0.0.1:8888/healthz >/dev/null && break
	kill -0 $functions || { cat /tmp/functions.log >&2; exit 1; }
	sleep 0.1
done
sluice token --admin >/etc/sluice/join-key
/usr/local/sbin/sluice-install
`;

/** Says what became of the machine. The kernel's tables have ports in hexadecimal; 0A is listening, 07 an open UDP port. */
const CHECK = `
echo "== nodes"
for attempt in $(seq 100); do
	nodes=$(curl -fs -H "Authorization: Bearer $(cat /etc/sluice/join-key)" http://127.0.0.1:8888/v1/nodes)
	case $nodes in *'"active"'*) break ;; esac
	sleep 0.1
done
echo "$nodes"
echo "== metrics"; head -3 /tmp/metrics
echo "== process"; ps -o user= -p $service; grep -iE 'nonewprivs|capeff|capbnd' /proc/$service/status | sed 's/NoNewPrivs/no_new_privs/'
echo "== state"; stat -c '%a %U' /var/lib/sluice
echo "== writable"; setpriv --reuid sluice --regid sluice --clear-groups test -w /opt/sluice/current/package.json && echo yes || echo no
echo "== ports"
for table in tcp udp; do
	cat /proc/net/$table /proc/net/"$table"6 | awk -v p=$table '$4 == (p == "tcp" ? "0A" : "07") { split($2, at, ":"); print p, at[2] }'
done | while read -r protocol port; do echo "$protocol $((0x$port))"; done | sort -u
echo "== again"; /usr/local/sbin/sluice-install | sed 's/release-.*//'
kill $service $functions; wait || true
echo "== end"
`;
