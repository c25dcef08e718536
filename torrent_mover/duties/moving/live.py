"""Which changed settings a run that stays takes over at once, and which ask for a new start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Final, TypeVar

from torrent_mover.domain.settings.clients import ClientSettings
from torrent_mover.domain.settings.servers import ServerSettings
from torrent_mover.duties.moving.settings import Settings

_MOVING: Final = ("category_to_move", "size_threshold_gb", "min_seed_time", "order", "rules_file")
_LIMITS: Final = ("sftp_download_limit_mbps", "sftp_upload_limit_mbps", "bandwidth")
TELLING: Final = ("notify_command", "notify_urls", "notify_on", "event_log", "metrics_file", "metrics_port")
"""Settings of [General] that say who is told."""

Login = TypeVar("Login", bound=ClientSettings | ServerSettings)


def taken_over(old: Settings, new: Settings) -> Settings:
    """The old settings with those of the new ones that touch no transfer: what is chosen, limits, who is told."""
    return replace(
        old,
        moving=replace(old.moving, **{name: getattr(new.moving, name) for name in _MOVING}),
        general=replace(old.general, **{name: getattr(new.general, name) for name in (*_LIMITS, *TELLING)}),
        rules_file=new.rules_file,
    )


def as_fetched_before(old: Settings, new: Settings) -> Settings:
    """The new settings, where a password that is fetched the same way as before is the same password."""
    there = new.destination_server
    if there is not None and old.destination_server is not None:
        there = _with_password(old.destination_server, there)
    return replace(
        new,
        source_client=_with_password(old.source_client, new.source_client),
        destination_client=_with_password(old.destination_client, new.destination_client),
        source_server=_with_password(old.source_server, new.source_server),
        destination_server=there,
    )


def _with_password(old: Login, new: Login) -> Login:
    same = (old.password_file, old.password_command) == (new.password_file, new.password_command)
    return replace(new, password=old.password) if same and (new.password_file or new.password_command) else new


def changed(old: Settings, new: Settings) -> tuple[str, ...]:
    """The names of the settings that differ; those that several sections have, behind the section's."""
    return tuple(dict.fromkeys(_changed(old, new)))


def _changed(old: Settings, new: Settings) -> Iterator[str]:
    for part in fields(Settings):
        before, after = getattr(old, part.name), getattr(new, part.name)
        if before == after:
            continue
        if part.name not in _SECTIONS or before is None or after is None:
            yield part.name
            continue
        plain = part.name in ("moving", "general", "paths")
        names = [field.name for field in fields(before) if getattr(before, field.name) != getattr(after, field.name)]
        yield from (name if plain else f"{part.name} {name}" for name in names)


_SECTIONS: Final = frozenset(field.name for field in fields(Settings)) - {"rules_file", "state_dir", "log_dir", "arrs"}
