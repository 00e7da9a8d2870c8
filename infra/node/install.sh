#!/bin/sh
# Installs the release and the Node.js that /etc/sluice/release.env names, and starts the service. Run again with another
# release it installs that one beside the first and restarts the service; files that are there already are not fetched.
# SLUICE_ROOT: where the file system begins, for an image that is prepared in a folder.
set -eu

root=${SLUICE_ROOT:-}
# shellcheck source=/dev/null
. "$root/etc/sluice/release.env"
home=$root/opt/sluice

say() { echo "sluice-install: $*"; }
fail() {
	say "$*" >&2
	exit 1
}

case $(uname -m) in
	x86_64) node_url=$NODE_X64_URL node_sha512=$NODE_X64_SHA512 ;;
	aarch64 | arm64) node_url=$NODE_ARM64_URL node_sha512=$NODE_ARM64_SHA512 ;;
	*) fail "there is no Node.js for $(uname -m): Sluice runs on x86_64 and aarch64" ;;
esac

# download URL FILE: tries for some minutes, because a machine may boot before its network is good.
download() {
	if command -v curl >/dev/null; then
		curl -fsSL --retry 8 --retry-connrefused --connect-timeout 10 --max-time 600 -o "$2" "$1" && return
	elif command -v wget >/dev/null; then
		wget -q --tries=8 --retry-connrefused --timeout=30 -O "$2" "$1" && return
	else
		fail "neither curl nor wget is here: install one of them"
	fi
	fail "cannot download $1"
}

# install_archive URL CHECKSUM sha256sum|sha512sum NAME: unpacks into $home/NAME, whole or not at all.
install_archive() {
	[ -d "$home/$4" ] && return
	draft=$(mktemp -d "$home/.draft.XXXXXX")
	trap 'rm -rf "$draft"' EXIT
	say "fetching $1"
	download "$1" "$draft/archive"
	echo "$2  $draft/archive" | "$3" --check --status - || fail "$1 is not the file that was released: its $3 is another one"
	mkdir "$draft/content"
	tar -xzf "$draft/archive" -C "$draft/content" --strip-components=1 --no-same-owner
	chmod -R u=rwX,go=rX "$draft/content"
	mv -T "$draft/content" "$home/$4"
	rm -rf "$draft"
	trap - EXIT
}

# point NAME TARGET: a symbolic link that changes in one step.
point() {
	ln -sfn "$2" "$home/.$1.new"
	mv -T "$home/.$1.new" "$home/$1"
}

mkdir -p "$home"
chmod 755 "$home"
node_name=node-$(echo "$node_sha512" | cut -c1-16)
release_name=release-$(echo "$RELEASE_SHA256" | cut -c1-16)
install_archive "$node_url" "$node_sha512" sha512sum "$node_name"
install_archive "$RELEASE_URL" "$RELEASE_SHA256" sha256sum "$release_name"
"$home/$node_name/bin/node" --version >/dev/null || fail "Node.js does not run here: is this a glibc system?"
point node "$node_name"
point current "$release_name"

if [ -n "$root" ]; then
	say "prepared $root; its user and its services are made when it boots"
	exit 0
fi

if ! getent passwd sluice >/dev/null; then
	useradd --system --user-group --home-dir /var/lib/sluice --no-create-home --shell /usr/sbin/nologin sluice
fi

# Of who makes nodes by hand: the key that this one joins with.
if [ -e /etc/sluice/join-key ]; then
	chgrp sluice /etc/sluice/join-key
	chmod 640 /etc/sluice/join-key
fi

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	for unit in $UNITS; do
		systemctl enable "$unit"
		systemctl restart "$unit"
	done
fi
say "installed release $release_name on $("$home/node/bin/node" --version)"
