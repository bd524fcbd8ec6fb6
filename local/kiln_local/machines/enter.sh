#!/bin/sh
# The first process of an instance: mounts its world, changes root and waits until its standard input
# is closed, which ends the namespace and every process in it.
set -eu
root=$1 lower=$2 upper=$3 work=$4 options=$5 ready=$6

mount -t overlay overlay -o "lowerdir=$lower:/usr,upperdir=$upper,workdir=$work$options" "$root/usr"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755,size=1m tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
ip link set lo up 2>/dev/null || :
hostname "$(cat "$root/etc/hostname" 2>/dev/null || echo localhost)" 2>/dev/null || :
# Said from inside: whoever enters takes this process's root, which must not be the host's any more.
exec 3>"$ready"
# shellcheck disable=SC2016 # nothing is to be expanded here
exec chroot "$root" sh -c 'echo ready >&3; exec 3>&-; exec cat'
