"""A failure in one line: what happened stands before where, as the end of a line is cut."""

from __future__ import annotations

import pytest

from tests.fakes.snapshots import a_hash
from torrent_mover.domain.report.events import MoveFailed
from torrent_mover.domain.report.narrate import narrate
from torrent_mover.domain.text import cause_first


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ("mkdir /mnt/data: Permission denied.", "Permission denied: mkdir /mnt/data."),
        ("/a/b cannot be written: No space left. More.", "No space left: /a/b cannot be written. More."),
        ("/a/b: Permission denied\nas user media", "Permission denied: /a/b\nas user media"),
        ("nas:22 closed the connection.", "nas:22 closed the connection."),
        ("qBittorrent says: no.", "qBittorrent says: no."),
        ("It is full. See /a: there.", "It is full. See /a: there."),
        ("", ""),
    ],
)
def test_the_place_stands_behind_the_cause(told: str, line: str):
    assert cause_first(told) == line


def test_a_line_of_the_log_begins_with_the_cause_and_not_with_a_long_name():
    event = MoveFailed(0.0, a_hash(1), "A.Very.Long.Name" * 9, "/tmp/x: Permission denied.", "", "", "TM-E304")

    assert narrate(event).text.startswith("failed: Permission denied: /tmp/x. (A.Very.")
