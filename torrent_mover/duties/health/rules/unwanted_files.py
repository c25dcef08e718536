"""The torrent has files that nobody wants."""

from __future__ import annotations

import re

from torrent_mover.duties.health.model import FindingCode, Judged
from torrent_mover.duties.health.rules.rule import Case, HealthCheck, clear, found, unknown
from torrent_mover.duties.health.settings import HealthSettings


def not_wanted(path: str, settings: HealthSettings) -> bool:
    """Whether the settings exclude a file, by its path relative to the save path."""
    flags = 0 if settings.case_sensitive else re.IGNORECASE
    *folders, name = path.split("/")
    if any(re.search(pattern, folder, flags) for pattern in settings.exclude_folders for folder in folders):
        return True
    if any(re.search(pattern, name, flags) for pattern in settings.exclude_files):
        return True
    if not settings.allow_extensions:
        return False
    extension = name.rpartition(".")[2] if "." in name else ""
    allowed = [each.lstrip(".") for each in settings.allow_extensions]
    if not settings.case_sensitive:
        extension, allowed = extension.lower(), [each.lower() for each in allowed]
    return extension not in allowed


def judge(case: Case) -> Judged:
    """By names, of files that are still wanted."""
    settings = case.settings
    if not (settings.exclude_files or settings.exclude_folders or settings.allow_extensions):
        return clear("nothing is excluded")
    files = case.picture.files
    if files is None:
        return unknown("its files are not known")
    wanted = [file for file in files if file.wanted]
    unwanted = [file for file in wanted if not_wanted(file.path, settings)]
    if not unwanted:
        return clear()
    words = f"{len(unwanted)} of {len(wanted)} files are not wanted"
    # The client would be left with a torrent without a file.
    return found(words, *(() if len(unwanted) == len(wanted) else (str(file.index) for file in unwanted)))


CHECK = HealthCheck(
    FindingCode.UNWANTED_FILES,
    judge,
    lambda settings: settings.unwanted_files_after,
    lambda settings: settings.unwanted_files_action,
    of_complete=False,
)
