"""A config.toml of qBitrr (5.x) as ours: sections, tracker rules, and what of it has no counterpart here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from torrent_mover.domain.settings.qbitrr import LOOPS, free_space, probe_of, seconds, update_channel

_ARRS: Final = ("sonarr", "radarr", "lidarr", "readarr", "whisparr")
_SHORTEST_LOOK: Final = 2
_SECONDS_A_MINUTE: Final = 60
_HOUR: Final = 3600
_UNTIL: Final = {1: "ratio", 2: "time", 3: "either", 4: "both"}
_HNR: Final = {"and": "both", "or": "either"}
_NOT_SET: Final = "CHANGE_ME"

Table = Mapping[str, Any]


@dataclass(slots=True)
class QbitrrConversion:
    """`sections`: heading -> key -> text; `rules`: the content of tracker_rules.json; `notes`: sentences for people."""

    sections: dict[str, dict[str, str]] = field(default_factory=dict)
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def converted(data: Table) -> QbitrrConversion:
    """Every loop is in report mode: somebody looks first at what it would do."""
    made = QbitrrConversion()
    settings = _table(data.get("Settings"))
    made.sections["General"] = dict(_general(settings))
    clients = {name: _table(table) for name, table in data.items() if _is_client(name) and isinstance(table, dict)}
    for name, table in clients.items():
        if table.get("Disabled") is True:
            made.notes.append(f"[{name}] is disabled, so it was left out.")
        else:
            made.sections[f"CLIENT {_name(name)}"] = dict(_client(table))
    used = [name for name, table in clients.items() if table.get("Disabled") is not True]
    for name, table in data.items():
        if isinstance(table, dict) and _kind(name):
            _arr(name, table, settings, used, made)
    for name in used:
        _managed(name, clients[name], settings, made)
        _trackers(clients[name].get("Trackers"), "", made)
    if isinstance(data.get("WebUI"), dict):
        made.notes.append("[WebUI] was left out: its users, tokens and OIDC have no counterpart.")
    if not any(heading.startswith(LOOPS) for heading in made.sections):
        made.notes.append("There is no managed Arr and no managed category, so there is no [HEALTH] section.")
    return made


def _general(settings: Table) -> Iterator[tuple[str, str]]:
    if probe := probe_of([str(each) for each in settings.get("PingURLS") or ()]):
        yield "internet_probe", probe
    if settings.get("AutoUpdateEnabled") is True:
        yield "update_check", update_channel(str(settings.get("AutoUpdateChannel", "")))
    for theirs, ours, unit in (
        ("MaxProcessRestarts", "restart_limit", ""),
        ("ProcessRestartWindow", "restart_window", "s"),
        ("ProcessRestartDelay", "restart_delay", "s"),
    ):
        if _number(settings.get(theirs)) > 0:
            yield ours, f"{settings[theirs]}{unit}"


def _client(table: Table) -> Iterator[tuple[str, str]]:
    host = _text(table.get("Host")) or "localhost"
    yield "host", host
    if _number(table.get("Port")) > 0:
        yield "port", str(table["Port"])
    for theirs, ours in (("UserName", "username"), ("Password", "password")):
        if _text(table.get(theirs)):
            yield ours, _text(table[theirs])
    if not _text(table.get("UserName")):
        yield "username", ""
    if table.get("SkipTLSVerify") is True:
        yield "verify_cert", "no"


def _arr(name: str, table: Table, settings: Table, clients: Sequence[str], made: QbitrrConversion) -> None:
    if table.get("Managed") is not True or not _text(table.get("URI")) or not _text(table.get("APIKey")):
        made.notes.append(f"[{name}] is not managed, or has no address and key, so it was left out.")
        return
    arr, search, torrents = _name(name), _table(table.get("EntrySearch")), _table(table.get("Torrent"))
    section = {"type": _kind(name), "url": _text(table["URI"]), "api_key": _text(table["APIKey"])}
    section |= {"category": _text(table["Category"])} if _text(table.get("Category")) else {}
    section |= {"verify_cert": "no"} if table.get("SkipTLSVerify") is True else {}
    made.sections[f"ARR {arr}"] = section
    if _text(table.get("importMode")).lower() == "move":
        made.notes.append(
            f"[{name}] importMode = Move was left out: a torrent seeds from its files, so they are never moved."
        )
    for client in clients:
        loop = f"{LOOPS} {arr}" if len(clients) == 1 else f"{LOOPS} {arr}-{_name(client)}"
        made.sections[loop] = {
            "client": _name(client),
            "arr": arr,
            "mode": "report",
            **dict(_every_loop(settings)),
            **dict(_imports(table)),
            **dict(_searches(name, search, settings, made)),
            **dict(_torrents(name, torrents, made)),
            **dict(_seeding(_table(torrents.get("SeedingMode")))),
        }
    _trackers(torrents.get("Trackers"), _text(table.get("Category")), made)


def _every_loop(settings: Table) -> Iterator[tuple[str, str]]:
    if _number(settings.get("LoopSleepTimer")) > 0:
        yield "every", f"{max(int(settings['LoopSleepTimer']), _SHORTEST_LOOK)}s"
    for theirs, ours in (("FailedCategory", "failed_category"), ("RecheckCategory", "recheck_category")):
        if _text(settings.get(theirs)):
            yield ours, _text(settings[theirs])
    if isinstance(settings.get("Tagless"), bool):
        yield "tags", "off" if settings["Tagless"] else "on"
    if _number(settings.get("IgnoreTorrentsYoungerThan")) >= 0 and "IgnoreTorrentsYoungerThan" in settings:
        yield "min_age", seconds(str(settings["IgnoreTorrentsYoungerThan"]))
    if "FreeSpace" in settings:
        yield "min_free", free_space(str(settings["FreeSpace"]))
    if settings.get("AutoPauseResume") is False:
        yield "no_space_action", "off"


def _imports(table: Table) -> Iterator[tuple[str, str]]:
    texts = [str(each) for each in table.get("ArrErrorCodesToBlocklist") or () if str(each).strip()]
    if texts:
        yield "blocked_texts", " | ".join(texts)
        yield "import_blocked_action", "replace"
    for theirs, ours in (("RssSyncTimer", "rss_every"), ("RefreshDownloadsTimer", "refresh_every")):
        if _number(table.get(theirs)) >= 0 and theirs in table:
            yield ours, f"{table[theirs]}m" if table[theirs] else "0"


def _searches(name: str, search: Table, settings: Table, made: QbitrrConversion) -> Iterator[tuple[str, str]]:
    missing = search.get("SearchMissing") is True
    better = any(
        search.get(key) is True for key in ("DoUpgradeSearch", "QualityUnmetSearch", "CustomFormatUnmetSearch")
    )
    yield (
        "search",
        {(True, True): "both", (True, False): "missing", (False, True): "cutoff"}.get((missing, better), "off"),
    )
    for theirs, ours in (("AlsoSearchSpecials", "specials"), ("Unmonitored", "unmonitored")):
        if search.get(theirs) is True:
            yield ours, "yes"
    if _number(search.get("SearchLimit")) > 0:
        yield "searches_active", str(search["SearchLimit"])
    delay = _number(settings.get("SearchLoopDelay"))
    if delay > 0:
        yield "searches_per_hour", str(max(int(_HOUR / delay), 1))
    if search.get("SearchByYear") is True and search.get("SearchInReverse") is not True:
        yield "search_order", "year"
    pairs = _table(search.get("QualityProfileMappings"))
    if pairs and search.get("UseTempForMissing") is True:
        yield "fallback_profiles", " | ".join(f"{usual} = {other}" for usual, other in pairs.items())
        minutes = _number(search.get("TempProfileResetTimeoutMinutes"))
        if minutes > 0:
            yield "fallback_for", f"{int(minutes)}m"
        if search.get("KeepTempProfile") is True:
            made.notes.append(f"[{name}.EntrySearch] KeepTempProfile was left out: a profile is always put back.")
    yield from _requests(search)


def _requests(search: Table) -> Iterator[tuple[str, str]]:
    """Overseerr before Ombi, as there."""
    seerr, ombi = _table(search.get("Overseerr")), _table(search.get("Ombi"))
    if seerr.get("SearchOverseerrRequests") is True and _text(seerr.get("OverseerrURI")):
        yield "requests_type", "overseerr"
        yield "requests_url", _text(seerr["OverseerrURI"])
        yield "requests_key", _text(seerr.get("OverseerrAPIKey"))
        yield "requests_approved", "no" if seerr.get("ApprovedOnly") is False else "yes"
        yield "requests_4k", "yes" if seerr.get("Is4K") is True else "no"
    elif ombi.get("SearchOmbiRequests") is True and _text(ombi.get("OmbiURI")):
        yield "requests_type", "ombi"
        yield "requests_url", _text(ombi["OmbiURI"])
        yield "requests_key", _text(ombi.get("OmbiAPIKey"))
        yield "requests_approved", "no" if ombi.get("ApprovedOnly") is False else "yes"


def _torrents(name: str, torrents: Table, made: QbitrrConversion) -> Iterator[tuple[str, str]]:
    if torrents.get("CaseSensitiveMatches") is True:
        yield "case_sensitive", "yes"
    for theirs, ours in (("FolderExclusionRegex", "exclude_folders"), ("FileNameExclusionRegex", "exclude_files")):
        if patterns := [str(each) for each in torrents.get(theirs) or ()]:
            yield ours, "\n".join(patterns)
    if extensions := [str(each).lstrip(".") for each in torrents.get("FileExtensionAllowlist") or ()]:
        yield "allow_extensions", ", ".join(extensions)
    if _number(torrents.get("IgnoreTorrentsYoungerThan")) >= 0 and "IgnoreTorrentsYoungerThan" in torrents:
        yield "min_age", seconds(str(torrents["IgnoreTorrentsYoungerThan"]))
    stalled = _number(torrents.get("StalledDelay"), -1)
    if "StalledDelay" in torrents:
        if stalled > 0:
            yield "stalled_after", f"{int(stalled)}m"
        else:
            yield "stalled_action", "off"
    eta = _number(torrents.get("MaximumETA"), -1)
    if eta > 0:
        yield "max_eta", f"{int(eta)}s"
    if torrents.get("DoNotRemoveSlow") is False:
        yield "slow_action", "replace"
    if torrents.get("AutoDelete") is True:
        made.notes.append(f"[{name}.Torrent] AutoDelete was left out: files are not deleted, only not selected.")


def _seeding(table: Table) -> Iterator[tuple[str, str]]:
    for theirs, ours in (
        ("DownloadRateLimitPerTorrent", "download_limit"),
        ("UploadRateLimitPerTorrent", "upload_limit"),
    ):
        if _number(table.get(theirs)) > 0:
            yield ours, f"{table[theirs]}K"
    if _number(table.get("MaxUploadRatio")) > 0:
        yield "seed_ratio", str(table["MaxUploadRatio"])
    if _number(table.get("MaxSeedingTime")) > 0:
        yield "seed_time", f"{int(table['MaxSeedingTime'])}s"
    until = _UNTIL.get(int(_number(table.get("RemoveTorrent"), -1)), "")
    lacks_ratio = until in ("ratio", "both") and _number(table.get("MaxUploadRatio")) <= 0
    lacks_time = until in ("time", "both") and _number(table.get("MaxSeedingTime")) <= 0
    has_none = _number(table.get("MaxUploadRatio")) <= 0 and _number(table.get("MaxSeedingTime")) <= 0
    if until and not (lacks_ratio or lacks_time or has_none):
        yield "seed_until", until
        yield "seed_goal_action", "retire"
    if table.get("RemoveDeadTrackers") is True:
        yield "dead_tracker_action", "remove"
        if texts := [str(each) for each in table.get("RemoveTrackerWithMessage") or ()]:
            yield "dead_texts", " | ".join(texts)


def _managed(name: str, table: Table, settings: Table, made: QbitrrConversion) -> None:
    """Categories that a client has without an Arr."""
    categories = [str(each) for each in table.get("ManagedCategories") or () if str(each).strip()]
    if categories:
        own = _table(table.get("CategorySeeding"))
        loop = {
            "client": _name(name),
            "categories": ", ".join(categories),
            "mode": "report",
            **dict(_every_loop(settings)),
        }
        loop |= dict(_torrents(name, {key: own[key] for key in ("StalledDelay",) if key in own}, made))
        made.sections[f"{LOOPS} {_name(name)}"] = loop | dict(_seeding(own))


def _trackers(listed: object, category: str, made: QbitrrConversion) -> None:
    """Rules of trackers, by host; those of an Arr are told of later and win."""
    for each in listed if isinstance(listed, list) else ():
        if not isinstance(each, dict):
            continue
        uri = _text(each.get("URI"))
        host = urlsplit(uri if "//" in uri else f"//{uri}").hostname or ""
        if not host:
            continue
        rule = dict(_tracker(each))
        home = category or str(made.rules.get(host, {}).get("category", "")) or "tv"
        if not category and host not in made.rules:
            made.notes.append(f"tracker_rules.json: the category of {host} is a guess ({home}); moves sort by it.")
        if rule:
            made.rules[host] = {"category": home, "health": {**made.rules.get(host, {}).get("health", {}), **rule}}


def _tracker(table: Table) -> Iterator[tuple[str, Any]]:
    mode = _HNR.get(_text(table.get("HitAndRunMode")).lower())
    if mode:
        ratio, days = _number(table.get("MinSeedRatio")), _number(table.get("MinSeedingTimeDays"))
        hnr: dict[str, Any] = {"mode": mode if ratio > 0 and days > 0 else "ratio" if ratio > 0 else "time"}
        hnr |= {"ratio": ratio} if ratio > 0 else {}
        hnr |= {"time": f"{days:g}d"} if days > 0 else {}
        percent, partial = _number(table.get("HitAndRunMinimumDownloadPercent")), table.get("HitAndRunPartialSeedRatio")
        hnr |= {"from": percent / 100} if percent > 0 else {}
        hnr |= {"partial_ratio": partial} if _number(partial) > 0 else {}
        buffer = _number(table.get("TrackerUpdateBuffer"))
        hnr |= {"margin": f"{int(buffer)}s"} if buffer > 0 else {}
        if "ratio" in hnr or "time" in hnr:
            yield "hnr", hnr
    if _number(table.get("MaxUploadRatio")) > 0:
        yield "seed_ratio", table["MaxUploadRatio"]
    if _number(table.get("MaxSeedingTime")) > 0:
        yield "seed_time", f"{int(table['MaxSeedingTime'])}s"
    if _number(table.get("MaximumETA")) > 0:
        yield "max_eta", f"{int(table['MaximumETA'])}s"
    if _number(table.get("UploadRateLimit")) > 0:
        yield "upload_limit", f"{table['UploadRateLimit']}K"
    if table.get("SuperSeedMode") is True:
        yield "super_seed", True
    if tags := [str(each) for each in table.get("AddTags") or () if str(each).strip()]:
        yield "tags", tags
    if _number(table.get("Priority")) > 0:
        yield "priority", int(table["Priority"])
    if table.get("AddTrackerIfMissing") is True:
        yield "add", True
    if table.get("RemoveIfExists") is True:
        yield "remove", True


def _is_client(name: str) -> bool:
    return name.lower() == "qbit" or name.lower().startswith("qbit-")


def _kind(name: str) -> str:
    """Which Arr a section is about; blank: none."""
    return next((kind for kind in _ARRS if name.lower().startswith(kind)), "")


def _name(name: str) -> str:
    return name.lower().replace(" ", "-")


def _table(value: object) -> Table:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    return "" if text == _NOT_SET else text


def _number(value: object, missing: float = 0.0) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else missing
