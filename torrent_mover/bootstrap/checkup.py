"""What doctor, init and --test-permissions ask: as a run would, but without its locks, and writing no log and no journal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Final, Self

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.bootstrap.arr_checks import arr_checks
from torrent_mover.bootstrap.ends import Ends
from torrent_mover.bootstrap.moving import cache_of, policy_of
from torrent_mover.bootstrap.plans import planner
from torrent_mover.bootstrap.servers import Servers
from torrent_mover.bootstrap.state import active_run, jobs_of, journal_as_it_is
from torrent_mover.duties.moving.checks import Checks
from torrent_mover.duties.moving.planner import Planner
from torrent_mover.duties.moving.settings import Settings
from torrent_mover.engine.delivery.space import ReservedSpace
from torrent_mover.engine.preflight import mount
from torrent_mover.engine.preflight.examination import Check
from torrent_mover.ports.filesystem import FileSystem
from torrent_mover.transfer.traced import Traced

_JOBS: Final = 4
"""Torrents at a time that room is asked for: what a run takes where --parallel-jobs does not say."""


class Checkup:
    """The checks of a run, and its planner. `config` says how the config was found to be; raises Doubt where it could be better."""

    def __init__(self, settings: Settings, config: Callable[[], str]) -> None:
        self._settings = settings
        self._config = config
        self._stack = ExitStack()
        self.clock: Final = SystemClock()
        self.cache: FileSystem | None = None
        self.checks: Checks
        self.arr_checks: tuple[Check, ...] = ()
        self.planner: Planner

    def __enter__(self) -> Self:
        settings = self._settings
        with ExitStack() as stack:
            servers = Servers([settings], stack)
            ends = Ends(settings, servers, self.clock)
            whole = journal_as_it_is(settings, stack)
            journal = jobs_of(whole, ends.source.client.name, settings.route) if whole else None
            cache = cache_of(settings, servers)
            self.cache = Traced(cache, servers.traces) if cache else None
            self.planner = planner(settings, ends, journal, cross_seeds=False)
            space = ReservedSpace(ends.destination.files, self.cache, dict)
            mounts = whole.documents(mount.DUTY, mount.SECTION) if whole else None
            reach = ends.reach(self._config, self._second_run, mounts)
            category, policy = settings.moving.category_to_move, policy_of(settings)
            source, destination = ends.source, ends.destination
            checks = self.checks = Checks(
                source, destination, policy, reach, space, journal, self.clock, category, _JOBS
            )
            self.arr_checks = arr_checks(settings, destination, checks.folder, self.clock, stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _second_run(self) -> str:
        found = active_run(self._settings)
        return f"yes: {found}; it goes on undisturbed" if found else "no"
