"""An account from environment variables alone, under the names of RDTM, which this duty replaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from torrent_mover.domain.settings.document import SeedKey

NAME: Final = "realdebrid"
"""What the account made from the environment is called."""

TOKEN: Final = "RD_API_TOKEN"  # noqa: S105  the variable's name
"""The variable whose presence makes an account."""

_VARIABLES: Final = (
    ("token", TOKEN, ""),
    ("scan_interval", "SCAN_INTERVAL", "s"),
    ("workers", "MAX_WORKERS", ""),
    ("min_request_gap", "API_RATE_LIMIT", ""),
    ("max_attempts", "MAX_RETRY_ATTEMPTS", ""),
    ("retry_delay", "RETRY_DELAY_HOURS", "h"),
    ("backup_interval", "DB_BACKUP_INTERVAL", "h"),
    ("history_retention", "HISTORY_RETENTION_DAYS", "d"),
    ("metrics_retention", "METRICS_RETENTION_DAYS", "d"),
    ("discord_webhook", "DISCORD_WEBHOOK_URL", ""),
)
"""Key, variable, and the unit in which that program counts."""

_NO: Final = ("no", "false", "off", "0")


def from_environment(environ: Mapping[str, str]) -> Iterator[SeedKey]:
    """The keys of [DEBRID realdebrid] that the variables give; none without RD_API_TOKEN. It only reports, unless DRY_RUN=false.

    A variable that is empty counts as not given.
    """
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    if TOKEN not in given:
        return
    section = f"DEBRID {NAME}"
    for key, variable, unit in _VARIABLES:
        if variable in given:
            text = given[variable]
            yield SeedKey(section, key, text + (unit if text[-1].isdigit() else ""), variable, is_alone=True)
    if given.get("DRY_RUN", "").lower() in _NO:
        yield SeedKey(section, "mode", "act", "DRY_RUN", is_alone=True)
