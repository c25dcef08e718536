"""A torrent that one service refuses is added at another account. Nothing is removed anywhere for it."""

from __future__ import annotations

from torrent_mover.domain.debrid.account import Capability, RemoteId
from torrent_mover.domain.debrid.magnets import Magnet
from torrent_mover.domain.debrid.wanted import numbers_of
from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.report.events import Level
from torrent_mover.duties.debrid.needs import DebridWorld, said
from torrent_mover.duties.debrid.records import RepairRecord
from torrent_mover.ports.debrid import DebridAccount

_ADDED = "add elsewhere"


def add_elsewhere(world: DebridWorld, record: RepairRecord) -> None:
    """Add it at the fallback, once, with the same files where these are chosen there. Never raises MoverError."""
    account = world.fallback
    if account is None or any(each.hash == record.hash and each.what == _ADDED for each in world.journal.attempts()):
        return
    world.attempt(record.hash, record.name, _ADDED, account.name)
    try:
        _choose(account, account.add(Magnet(record.hash)), record)
    except MoverError as error:
        world.say(record.hash, f"{record.name} was not added at {account.name}: {said(error)}", Level.WARN)
    else:
        world.say(record.hash, f"{record.name} was added at {account.name}")


def _choose(account: DebridAccount, new: RemoteId, record: RepairRecord) -> None:
    if Capability.SELECT not in account.capabilities.can:
        return
    found = account.info(new)
    numbers = numbers_of(record.wanted_set, found.files) if found is not None and found.files else None
    if numbers is not None:
        account.select(new, numbers)
