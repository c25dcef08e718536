"""Moves side by side: what one of them removes does not fail another one that has just seen it listed."""

from __future__ import annotations

import pytest

from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.torrent.torrent import InfoHash


@pytest.mark.parametrize("when", ["the plan is made", "the evidence is gathered"])
def test_a_torrent_that_goes_between_being_listed_and_being_asked_for_its_files_fails_nobody(story, when):
    torrent = story.seed("Show", 50_000)
    goes = story.seed("Goes", 50_000, category="keep-me")
    gone_from = "removed" if when == "the evidence is gathered" else "listed"
    asked: list[InfoHash] = []

    def vanish(method: str, of: InfoHash | None) -> None:
        late = gone_from == "listed" or ("start", torrent) in story.destination.calls
        if method == "files" and of == goes and late and not asked:
            asked.append(goes)
            story.source.forget(goes)

    story.source.before = vanish

    assert story.run() is ExitCode.DONE
    assert asked == [goes]
    del story.contents[goes]  # its user has removed it
    story.assert_moved(torrent)
