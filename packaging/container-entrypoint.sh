#!/bin/sh
# Gives up root before anything else happens: the program runs as PUID:PGID, with no way back.
set -eu
uid=$(id -u)
if [ "$uid" -ne 0 ]; then
    # Started with --user. ssh does not work for a user without a name, and we may not write into passwd: a library tells it one.
    if ! getent passwd "$uid" >/dev/null; then
        for library in ${NSS_WRAPPER_LIBRARY:-/usr/lib/*/libnss_wrapper.so /usr/lib/libnss_wrapper.so}; do
            if [ -s "$library" ]; then
                NSS_WRAPPER_PASSWD=$(mktemp)
                { cat /etc/passwd; echo "mover:x:$uid:$(id -g)::${HOME:-/config}:/usr/sbin/nologin"; } >"$NSS_WRAPPER_PASSWD"
                export NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP=/etc/group LD_PRELOAD="$library"
                break
            fi
        done
    fi
    exec "$@"
fi
case "${PUID:-1000}${PGID:-1000}" in
    *[!0-9]*) echo "PUID and PGID are numbers, as id -u and id -g print them." >&2; exit 2 ;;
esac
if [ "${PUID:-1000}" -eq 0 ]; then
    echo "PUID=0 would run as root. Set it to the user that the data belongs to (id -u)." >&2
    exit 2
fi
# ssh does not work for a user without a name. The image says where such a name may be written.
if [ -n "${CONTAINER_PASSWD:-}" ] && ! getent passwd "$PUID" >/dev/null; then
    echo "mover:x:$PUID:${PGID:-1000}::${HOME:-/config}:/usr/sbin/nologin" >>"$CONTAINER_PASSWD"
fi
exec setpriv --reuid "${PUID:-1000}" --regid "${PGID:-1000}" --clear-groups --inh-caps=-all --no-new-privs -- "$@"
