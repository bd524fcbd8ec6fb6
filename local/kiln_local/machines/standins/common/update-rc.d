#!/bin/sh
# update-rc.d of the local AWS: links an init script into the runlevel that a boot starts.
set -u
name='' verb=''
for word in "$@"; do
    case $word in
        -*) ;;
        *) if [ -z "$name" ]; then name=$word; elif [ -z "$verb" ]; then verb=$word; fi ;;
    esac
done
mkdir -p /etc/rc2.d
case $verb in
    defaults | enable | start)
        [ -x "/etc/init.d/$name" ] || { echo "update-rc.d: error: unable to read /etc/init.d/$name" >&2; exit 1; }
        ln -sf "../init.d/$name" "/etc/rc2.d/S50$name"
        ;;
    remove | disable | stop) rm -f /etc/rc2.d/S[0-9][0-9]"$name" ;;
    *) echo "update-rc.d: error: not enough arguments" >&2; exit 1 ;;
esac
echo "local AWS: update-rc.d $name $verb"
