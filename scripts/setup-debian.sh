#!/usr/bin/env bash
# Installs the Debian packages that torrent_mover's demo and tests need: only those that are missing, quietly.
#
#   scripts/setup-debian.sh [demo|test]      what it is for; default: test, which needs more
#
# As root, or through sudo. Works on Debian and Ubuntu. No service is started or enabled: the servers of the demo and the
# tests are started by them, on loopback, and stopped again.
set -euo pipefail

purpose=${1:-test}
packages=(python3 python3-venv python3-pip qbittorrent-nox openssh-client openssh-server openssh-sftp-server rsync openssl util-linux make)
case $purpose in
    demo) ;;
    test) packages+=(rtorrent ffmpeg nginx-light acl mergerfs sshpass dropbear-bin locales tmux debian-archive-keyring debootstrap strace git groff-base systemd zsh fish chromium-headless-shell) ;;
    *) echo "usage: $0 [demo|test]" >&2; exit 2 ;;
esac

missing=()
for package in "${packages[@]}"; do
    state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "Missing packages, and no sudo here. As root, type: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi

echo "Installing ${missing[*]}"
log=$(mktemp)
policy=/usr/sbin/policy-rc.d
cleanup() {
    rm -f "$log"
    if [ "${policy_is_ours:-}" ]; then "${as_root[@]}" rm -f "$policy"; fi
}
trap cleanup EXIT

# While this file says 101, packages do not start the services they bring. One that is there already is the owner's.
if [ ! -e "$policy" ]; then
    policy_is_ours=yes
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
fi

run() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        echo "$0: this failed: $*" >&2
        exit 1
    }
}
run apt-get -q update
# Where a release has no browser without a window of its own, the whole one does as well; it takes the tests twice as long.
for place in "${!missing[@]}"; do
    if [ "${missing[place]}" = chromium-headless-shell ] && ! apt-cache show chromium-headless-shell >/dev/null 2>&1; then
        missing[place]=chromium
    fi
done
run apt-get -q -y --no-install-recommends install "${missing[@]}"

# Without systemd's presets an installed sshd or nginx is enabled for the next boot; it was not asked for here.
not_at_boot() {
    local package=$1 service
    shift
    case " ${missing[*]} " in
        *" $package "*) command -v systemctl >/dev/null && [ -d /run/systemd/system ] || return 0 ;;
        *) return 0 ;;
    esac
    for service in "$@"; do
        "${as_root[@]}" systemctl --quiet disable "$service" 2>/dev/null || true
    done
}
not_at_boot openssh-server ssh.service ssh.socket
not_at_boot nginx-light nginx.service
