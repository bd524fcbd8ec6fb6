#!/bin/sh
# The first process of an instance: mounts its world, takes it as the root of everything and waits until
# its standard input is closed, which ends the namespace and every process in it.
set -eu
root=$1 lower=$2 upper=$3 work=$4 options=$5 ready=$6 disks=$7

exec 3>"$ready"
mount --bind "$root" "$root"
mount -t overlay overlay -o "lowerdir=$lower:/usr,upperdir=$upper,workdir=$work$options" "$root/usr"
# Read only: the kernel lets uid 0 write to /proc/sys whatever capabilities it lacks.
mount -t proc -o ro proc "$root/proc"
mount -t tmpfs -o mode=755,size=1m tmpfs "$root/dev"
if [ -n "$options" ]; then
    # A user's namespace may not make devices; read only keeps who owns the host's from changing them.
    for device in null zero full random urandom tty; do
        : >"$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
        mount -o remount,bind,ro,nosuid,noexec "$root/dev/$device"
    done
else
    cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty "$root/dev/"
fi
# Volumes: a file for each device, the folder of what is on it, and of sysfs what tells one from the other.
mount -t tmpfs -o mode=755,size=1m tmpfs "$root/sys"
mkdir -p "$root/sys/block" "$root/dev/kiln-local/empty" "$root/dev/disk/by-id"
printf '%s' "$disks" | while read -r name serial folder; do
    mkdir "$root/dev/kiln-local/$name"
    mount --bind "$folder" "$root/dev/kiln-local/$name"
    : >"$root/dev/$name"
    mount --bind "$folder/superblock" "$root/dev/$name"
    case $name in
        nvme*)
            mkdir -p "$root/sys/block/$name/device"
            echo "$serial" >"$root/sys/block/$name/device/serial"
            ln -s "../../$name" "$root/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_$serial"
            ;;
    esac
done
mount -o remount,ro "$root/sys"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
ip link set lo up 2>/dev/null || :
hostname "$(cat "$root/etc/hostname" 2>/dev/null || echo localhost)" 2>/dev/null || :
# The host's own root leaves this namespace altogether: no way out of a changed root leads to it.
cd "$root"
pivot_root . .
umount -l .
cd /
echo ready >&3
exec 3>&-
exec cat
