#!/usr/bin/env bash
# Unpacks another Debian release's torrent client beside the system's own, without root and without a chroot.
#
#   scripts/trixie-tree.sh [SUITE] [PROGRAM]
#
#   trixie (default), bookworm                 qBittorrent 5.1, 4.5
#   sid rtorrent, bookworm rtorrent            rTorrent 0.16, 0.9.8
#
# Prints the program to run, ${XDG_CACHE_HOME:-~/.cache}/torrent-mover/SUITE/qbittorrent-nox or .../SUITE-rtorrent/rtorrent:
# a launcher that starts the release's own binary with the release's own loader and libraries, so that it sees the same
# paths as everything else. Built once; TORRENT_MOVER_DEBIAN_MIRROR names another mirror than the one apt is configured with.
set -euo pipefail

suite=${1:-trixie}
program=${2:-qbittorrent-nox}
case "$suite $program" in
    "trixie qbittorrent-nox" | "bookworm qbittorrent-nox") name=$suite ;;
    "sid rtorrent" | "bookworm rtorrent") name=$suite-rtorrent ;;
    *) echo "usage: $0 [trixie|bookworm], or: $0 sid|bookworm rtorrent" >&2; exit 2 ;;
esac

cache=${XDG_CACHE_HOME:-$HOME/.cache}/torrent-mover
tree=$cache/$name
launcher=$tree/$program
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

if [ -x "$launcher" ]; then
    echo "$launcher"
    exit 0
fi

fail() {
    echo "$0: $1" >&2
    exit 1
}

# The Debian mirror of apt's own sources; on another distribution the one that debootstrap would take.
mirror() {
    local found=${TORRENT_MOVER_DEBIAN_MIRROR:-}
    if [ -z "$found" ]; then
        found=$(apt-get indextargets --format '$(ORIGIN)|$(CODENAME)|$(REPO_URI)' 2>/dev/null |
            awk -F'|' '$1 == "Debian" && $2 !~ /-/ && !seen { print $3; seen = 1 }')
    fi
    if [ -z "$found" ] && [ -r /usr/sbin/debootstrap ]; then
        found=$(sed -n 's/^DEF_MIRROR="\(.*\)"$/\1/p' /usr/sbin/debootstrap)
    fi
    [ -n "$found" ] || fail "no Debian mirror is known; set TORRENT_MOVER_DEBIAN_MIRROR, or: sudo apt-get install debootstrap"
    echo "$found"
}

# apt-get on a package world of its own below $build, which starts empty: so it fetches everything down to libc.
apt_world() {
    apt-get -q -y \
        -o Dir::State="$build/apt" -o Dir::State::status="$build/status" -o Dir::Cache="$build/apt" \
        -o Dir::Etc::sourcelist="$build/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
        -o APT::Default-Release= -o APT::Sandbox::User="$(id -un)" \
        -o APT::Install-Recommends=false -o Acquire::Retries=3 -o Acquire::Languages=none "$@"
}

unpack() {
    local root=$1 folder package
    for folder in bin sbin lib lib64; do # the merged /usr that packages expect to find
        mkdir -p "$root/usr/$folder"
        ln -s "usr/$folder" "$root/$folder"
    done
    for package in "$build"/apt/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$package" |
            tar --extract --directory "$root" --keep-directory-symlink --no-same-owner --warning=no-timestamp
    done
    # Nobody reads these here, and they are half of it.
    rm -rf "$root"/usr/share/{doc,man,locale,info,i18n} "$root"/usr/lib/*/gconv
}

write_launcher() {
    cat >"$1/$program" <<'LAUNCHER'
#!/bin/sh
# Starts the program of this name of this tree with the loader, libraries and Qt plugins of this tree. Made by trixie-tree.sh.
tree=$(dirname "$(readlink -f "$0")")
program=$(basename "$(readlink -f "$0")")
for loader in "$tree"/usr/lib*/ld-linux*.so.* "$tree"/usr/lib/*/ld-linux*.so.*; do
    # A link may be an absolute one, to the loader of the system that we are on: not the one for this tree's libc.
    [ -f "$loader" ] && [ ! -L "$loader" ] && break
done
for libraries in "$tree"/usr/lib/*-linux-gnu*; do
    for plugins in "$libraries"/qt*/plugins; do
        [ ! -d "$plugins" ] || export QT_PLUGIN_PATH="$plugins"
    done
    exec "$loader" --argv0 "$program" --library-path "$libraries:$libraries/libproxy" "$tree/usr/bin/$program" "$@"
done
LAUNCHER
    chmod 755 "$1/$program"
}

# What makes the program say its version and end.
version_option() {
    if [ "$program" = rtorrent ]; then echo -h; else echo --version; fi
}

[ -r "$keyring" ] || fail "Debian's signing keys are missing: sudo apt-get install debian-archive-keyring"

mkdir -p "$cache"
exec 9>"$cache/$name.lock"
flock 9
if [ -x "$launcher" ]; then # another build was faster
    echo "$launcher"
    exit 0
fi

build=$(mktemp -d "$cache/$name.XXXXXX")
trap 'rm -rf "$build"' EXIT
chmod 755 "$build"
mkdir -p "$build"/apt/lists/partial "$build"/apt/archives/partial "$build/tree"
: >"$build/status"
echo "deb [arch=$(dpkg --print-architecture) signed-by=$keyring] $(mirror) $suite main" >"$build/sources.list"
{
    apt_world update
    apt_world --download-only install "$program"
    unpack "$build/tree"
    write_launcher "$build/tree"
    HOME=$build "$build/tree/$program" "$(version_option)"
} >"$build/log" 2>&1 || {
    tail -n 20 "$build/log" >&2
    fail "the $name tree could not be made; the lines above say why. To try again: $0 $suite $program"
}
rm -rf "$tree"
mv "$build/tree" "$tree"
echo "$launcher"
