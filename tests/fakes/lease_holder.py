"""A program that waits for a sign, takes leases, says how that went, and holds them until its input ends.

Usage: python -m tests.fakes.lease_holder FOLDER INFOHASH CLIENT..., or CONFIG INFOHASH for both ends of a config's moves. Prints
`ready`, then (after one line of input) `won` or the refusal.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path

from torrent_mover.adapters.leases import KernelLeases
from torrent_mover.bootstrap.configs import load
from torrent_mover.bootstrap.state import claims
from torrent_mover.domain.errors import TransferError
from torrent_mover.domain.torrent.torrent import InfoHash


def say(line: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    where, torrent, *clients = sys.argv[1:]
    say("ready")
    sys.stdin.readline()
    try:
        lease: AbstractContextManager[None]
        if clients:
            lease = KernelLeases(Path(where)).hold([(client, InfoHash(torrent)) for client in clients])
        else:
            lease = claims(load(where, {})[0], "the source", "the destination")(InfoHash(torrent))
        with lease:
            say("won")
            sys.stdin.readline()
    except TransferError as error:
        say(error.what)
        sys.stdin.readline()
