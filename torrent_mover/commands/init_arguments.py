"""The arguments of init: every answer as a flag, so that scripts can give them. No password ever stands in one."""

from __future__ import annotations

import argparse

MODES = ("sftp", "rsync", "sftp_upload", "rsync_upload")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Fill the parser of `torrent-mover init`. A missing answer is asked for."""
    add = parser.add_argument
    parser.epilog = (
        "Give passwords in files, or in the environment: TORRENT_MOVER_SOURCE_PASSWORD,"
        " TORRENT_MOVER_DESTINATION_PASSWORD, TORRENT_MOVER_SOURCE_SSH_PASSWORD, TORRENT_MOVER_DESTINATION_SSH_PASSWORD."
    )
    add("--config", metavar="PATH", help="where to write the config", default=argparse.SUPPRESS)
    add("--mode", choices=MODES, help="how the data travels (default sftp: from the source to this machine)")
    add("--category", dest="move_category", metavar="CAT", help="move completed torrents of this category")
    for name, what in (("source", "source client"), ("destination", "destination client")):
        add(f"--{name}-url", metavar="URL", help=f"Web UI of the {what}: http://name:8080")
        add(f"--{name}-user", metavar="NAME", help=f"user name for the {what}")
        add(f"--{name}-password-file", metavar="PATH", help="file with its password in the first line")
    for name, when in (
        ("source", "that has the source's files"),
        ("destination", "that receives the data (upload modes)"),
    ):
        add(f"--{name}-ssh", metavar="USER@HOST[:PORT]", help=f"SSH login on the machine {when}")
        add(f"--{name}-ssh-key", metavar="PATH", help="private key (default: ssh-agent and the usual keys in ~/.ssh)")
        add(
            f"--{name}-ssh-password-file", metavar="PATH", help="file with the password of that login in the first line"
        )
    add("--destination-path", metavar="PATH", help="folder that receives the data")
    add("--known-hosts", metavar="PATH", help="file of trusted SSH host keys (default ~/.ssh/known_hosts)")
    add(
        "--host-key",
        action="append",
        default=[],
        metavar="SHA256:...",
        help="trust an SSH server with this host key; may be given twice",
    )
    _add_of_others(parser)
    add = parser.add_argument_group("from the programs that this one replaces").add_argument
    add(
        "--from-qbitrr",
        metavar="PATH",
        help="write the config from a config.toml of qBitrr, in report mode; nothing is asked, and nothing is connected to",
    )
    add(
        "--from-rdtm",
        metavar="PATH",
        help="write [DEBRID realdebrid] from the .env of RDTM, in report mode; nothing is asked, and nothing is connected to",
    )
    add(
        "--from-env",
        metavar="PATH",
        help="write sections from a file of variables (.env) of rTorrent SSD cache manager, rFlood with pyrosimple-manager, RDTM"
        " or qBitrr; - takes those that are set here",
    )
    add = parser.add_argument
    add("--yes", action="store_true", help="ask nothing; use the flags and the defaults")
    add("--overwrite", action="store_true", help="replace an existing config; the old one is kept as config.ini.before")


def _add_of_others(parser: argparse.ArgumentParser) -> None:
    """What more than one of the other duties asks for."""
    client = parser.add_argument_group(
        "init tier, init health: the client", "Its password may be in TORRENT_MOVER_CLIENT_PASSWORD."
    ).add_argument
    client("--client-type", metavar="TYPE", choices=("rtorrent", "qbittorrent"), help="rtorrent or qbittorrent")
    client("--client-url", metavar="URL", help="its socket, host:port or address")
    client("--client-user", metavar="NAME", help="user name, where it asks for one")
    client("--client-password-file", metavar="PATH", help="file with its password in the first line")
    arr = parser.add_argument_group(
        "init health, init debrid: the Arr", "Its API key may be in TORRENT_MOVER_ARR_KEY."
    ).add_argument
    arr("--arr-url", metavar="URL", help="address of Sonarr, Radarr ..., or the path of the config.xml that it wrote")
    arr("--arr-key-file", metavar="PATH", help="file with its API key in the first line")
