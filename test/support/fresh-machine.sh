#!/bin/sh
# Boots the user data of a node on a machine that exists for as long as this script: namespaces of mounts, processes and
# network, with a copy-on-write root over this machine's. It has no network but its own loopback, where SERVER_PORT serves
# the folder $work/served. What cloud-init and systemd do, is done by $work/cloud-init.sh and $work/service.sh.
#
# Usage: unshare --mount --net --pid --fork sh fresh-machine.sh <work folder> <node> <script of the server>
set -eu
# Where chroot and ip are, also for users whose PATH has no sbin.
PATH=$PATH:/usr/sbin:/sbin
work=$1 node=$2 server=$3

ip link set lo up
mkdir -p "$work/machine"
mount -t tmpfs -o size=2g tmpfs "$work/machine"
mkdir "$work/machine/changes" "$work/machine/overlay" "$work/machine/root"
root=$work/machine/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/machine/changes,workdir=$work/machine/overlay" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
for fresh in run tmp var/lib opt; do mount -t tmpfs tmpfs "$root/$fresh"; done
# Whatever of it this machine has; in the copy alone.
rm -rf "$root/usr/bin/node" "$root/usr/local/bin/node" "$root/etc/sluice"
mkdir "$root/run/payload"
cp "$work/cloud-init.sh" "$work/service.sh" "$root/run/payload/"
cp -r "$work/files" "$root/run/payload/files"

"$node" "$server" "$work/served" "$SERVER_PORT" &
until curl -fs "http://127.0.0.1:$SERVER_PORT/ready" >/dev/null; do sleep 0.1; done

# A fresh machine has no Node.js, and knows nothing of who runs the test.
machine() {
	chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"
}
if machine sh -c 'command -v node || [ -e /etc/sluice ]'; then
	echo "this machine is not fresh" >&2
	exit 1
fi
machine sh -eu /run/payload/cloud-init.sh
machine sh -eu /run/payload/service.sh
