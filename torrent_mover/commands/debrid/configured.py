"""What a config has of debrid accounts: a line for --check-config, the checks of doctor, where each stands."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from torrent_mover.adapters.config.places import discover
from torrent_mover.adapters.config.reading import find, may_be_there
from torrent_mover.bootstrap.arr_checks import version_of
from torrent_mover.bootstrap.configs import examine_all
from torrent_mover.bootstrap.debrid.account import OpenDebrid, working_on
from torrent_mover.bootstrap.debrid.setups import DebridSetup, debrid_setups
from torrent_mover.commands.other_duties import OtherDuty
from torrent_mover.domain.debrid.account import Standing
from torrent_mover.domain.errors import ConfigError
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.text import clause, clauses, counted, duration, safe
from torrent_mover.duties.debrid.environment import TOKEN
from torrent_mover.duties.debrid.kinds import AccountMount
from torrent_mover.duties.debrid.link_walk import LinkWalk
from torrent_mover.duties.debrid.needs import DebridArr, DebridWorld
from torrent_mover.duties.debrid.rounds import REFUSED
from torrent_mover.duties.debrid.settings import DebridSettings
from torrent_mover.duties.debrid.telling import BROKEN, status_of
from torrent_mover.engine.preflight.examination import Check, Doubt

_DAY: Final = 86_400
_SOON: Final = 7 * _DAY
"""Seconds of premium that are left, at which doctor says so."""


def configured(config: str | None) -> Sequence[OtherDuty]:
    """The accounts of the config, or of the environment alone. Raises ConfigError."""
    if not _has_accounts(config):
        return ()
    return tuple(_told(setup) for setup in debrid_setups(config)[0])


def _has_accounts(config: str | None) -> bool:
    if not any(may_be_there(path) for path, _ in discover(config)):
        return bool(os.environ.get(TOKEN, "").strip())
    try:
        found, _ = examine_all(find(config))
    except ConfigError:
        return False
    return found is not None and bool(found.named(DebridSettings))


def _told(setup: DebridSetup) -> OtherDuty:
    chosen = f" --account {setup.name}" if len(setup.accounts) > 1 else ""
    return OtherDuty(
        f"debrid {setup.name}",
        _line(setup),
        f"torrent-mover debrid run --stay{chosen}",
        f"torrent-mover debrid run --once --dry-run{chosen}",
        partial(checks_of, setup),
        partial(_status, setup),
        state=setup.state_dir,
    )


def _line(setup: DebridSetup) -> str:
    settings = setup.settings
    acts = "repairs what is proven to be broken" if settings.acts else "only reports"
    links = f", links in {', '.join(map(str, settings.media_roots))}" if settings.media_roots else ", no links"
    return (
        f"{settings.type.value}{links}; looks every {duration(settings.scan_interval)} and {acts} (from {setup.config})"
    )


def _status(setup: DebridSetup) -> Sequence[str]:
    """From the journal alone."""
    with OpenDebrid(setup, writes=False, stop=threading.Event()) as account:
        return status_of(account.journal, setup.settings, working_on(setup), account.clock.now())[0]


@contextmanager
def checks_of(setup: DebridSetup) -> Iterator[Sequence[Check]]:
    """The account, its mounts, the folders with the links, the Arrs. Changes nothing anywhere, and sends GET alone."""
    with OpenDebrid(setup, writes=False, stop=threading.Event()) as account:
        world = account.world()
        settings = setup.settings
        yield [
            Check(f"account {setup.name}", partial(_account, world)),
            *(Check(f"mount {mount.path}", partial(_mount, world, mount)) for mount in settings.mounts),
            *(Check(f"links {root}", partial(_links, root)) for root in settings.media_roots),
            *(Check(f"Arr {name}", partial(_arr, arr), fatal=False) for name, arr in world.arrs.items()),
            Check("links set aside", partial(_quarantine, world), fatal=False),
            Check("worker", partial(_worker, setup, world), fatal=False),
            Check("repairs", partial(_repairs, world)),
        ]


def _account(world: DebridWorld) -> str:
    standing = world.good_standing()
    said = standing_line(standing)
    if 0 < standing.premium_seconds <= _SOON:
        raise Doubt(
            f"{clause(said)}: it ends within a week.",
            kept="Links are looked at and repaired until then.",
            remedy=f"Extend the account at {world.settings.type.value}.",
        )
    return said


def standing_line(standing: Standing) -> str:
    """How an account stands, in words."""
    slots = "" if standing.slots is None else f", {standing.slots_used} of {standing.slots} slots used"
    return f"premium for {standing.premium_seconds / _DAY:.0f} days{slots}"


def _mount(world: DebridWorld, mount: AccountMount) -> str:
    LinkWalk(world).sound(mount)
    measure = world.journal.measure(str(mount.path))
    return f"sound, {measure.entries if measure else 0:,} entries"


def _links(root: LocalPath) -> str:
    """It is there, and we may put links there: a repair makes a link anew, a refusal sets it aside."""
    if not os.path.isdir(str(root)):  # noqa: PTH112  False also where a folder above may not be entered
        raise ConfigError(
            f"{root} is no folder.", kept="No link is looked at.", remedy=f"Make it, or mount it: ls -ld {root}"
        )
    if not os.access(str(root), os.W_OK | os.X_OK):
        raise Doubt(
            f"{root} cannot be written.",
            kept="Links there are looked at, and none of them is changed.",
            remedy=f"Give it to the user that runs torrent-mover: ls -ld {root}",
        )
    return "there, and ours to write"


def _arr(arr: DebridArr) -> str:
    folders = safe(", ".join(map(str, arr.manager.root_folders())) or "(none)")
    return version_of(arr.manager, f", library in {folders}")


def _quarantine(world: DebridWorld) -> str:
    folder = Path(world.quarantine)
    # Below a folder that may not be entered nothing is to be seen: then that folder is the one that is not ours.
    existing = next((each for each in (folder, *folder.parents) if os.path.exists(each)), Path("/"))  # noqa: PTH110
    if not os.access(existing, os.W_OK | os.X_OK):
        raise Doubt(
            f"{folder} cannot be made or written.",
            kept="No link is set aside.",
            remedy=f"Set quarantine_dir in [DEBRID], or look at {existing}: ls -ld {existing}",
        )
    return str(folder)


def _worker(setup: DebridSetup, world: DebridWorld) -> str:
    who, note = working_on(setup), world.journal.note()
    last = f"; it found the account good {duration(max(world.now - note.good_at, 0.0))} ago" if note.good_at else ""
    return f"{f'yes: {who}' if who else 'none is running now'}{last}"


def _repairs(world: DebridWorld) -> str:
    """What is being repaired, and what waits for a person."""
    journal = world.journal
    waves = [each for each in (journal.wave(REFUSED), journal.wave(BROKEN)) if each is not None and not each.accepted]
    if waves:
        raise Doubt(
            clauses(
                *(
                    f"{each.number:,} {'links' if each.what == BROKEN else 'torrents'} are {each.what} at once"
                    for each in waves
                )
            )
            + ": so many are not believed.",
            kept="None of them is repaired, and no link is set aside.",
            remedy=f"Look at the account, then: torrent-mover debrid accept {waves[0].what} {waves[0].number}",
        )
    retries = journal.retries()
    lost = [each for each in retries if each.given_up]
    if lost:
        raise Doubt(
            f"{counted(len(lost), 'torrent')} could not be repaired: {safe(lost[0].name)}: {safe(lost[0].reason)}",
            kept="Their links are as they were.",
            remedy="torrent-mover debrid retries; to try all again: torrent-mover debrid retries --now",
        )
    broken = sum(each.proven for each in journal.findings())
    going = sum(each.open for each in journal.repairs())
    return f"{broken} proven broken, {going} being repaired, {len(retries)} tried again later"
