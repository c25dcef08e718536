"""The arguments of init: every answer as a flag, so that scripts can give them. No password ever stands in one."""

from __future__ import annotations

import argparse

MODES = ("sftp", "rsync", "sftp_upload", "rsync_upload")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Fill the parser of `torrent-mover init`. What is not given is asked."""
    add = parser.add_argument
    parser.epilog = (
        "Passwords come from files, or from the environment: TORRENT_MOVER_SOURCE_PASSWORD,"
        " TORRENT_MOVER_DESTINATION_PASSWORD, TORRENT_MOVER_SOURCE_SSH_PASSWORD, TORRENT_MOVER_DESTINATION_SSH_PASSWORD."
    )
    add("--config", metavar="PATH", help="where to write it", default=argparse.SUPPRESS)
    add("--mode", choices=MODES, help="who brings the bytes where (default sftp: to this machine)")
    add("--category", dest="move_category", metavar="CAT", help="completed torrents of this category are moved")
    for name, what in (("source", "client that has the torrents"), ("destination", "client that takes over")):
        add(f"--{name}-url", metavar="URL", help=f"Web UI of the {what}: http://name:8080")
        add(f"--{name}-user", metavar="NAME", help="its user name")
        add(f"--{name}-password-file", metavar="PATH", help="file that holds its password in the first line")
    for name, when in (("source", "of the source's files"), ("destination", "that takes the data (upload modes)")):
        add(f"--{name}-ssh", metavar="USER@HOST[:PORT]", help=f"SSH login on the machine {when}")
        add(f"--{name}-ssh-key", metavar="PATH", help="private key (default: the agent and the usual keys)")
        add(f"--{name}-ssh-password-file", metavar="PATH", help="file that holds the password of that login")
    add("--destination-path", metavar="PATH", help="folder that receives the data")
    add("--known-hosts", metavar="PATH", help="file of trusted SSH host keys (default ~/.ssh/known_hosts)")
    add(
        "--host-key",
        action="append",
        default=[],
        metavar="SHA256:...",
        help="trust an SSH server that shows this key; may be given twice",
    )
    add("--yes", action="store_true", help="ask nothing: take the flags and the defaults")
    add("--overwrite", action="store_true", help="replace a config that is there; the old one is kept as .before")
