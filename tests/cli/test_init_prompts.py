"""How init says its sentences on a terminal."""

from __future__ import annotations

import pytest

from torrent_mover.commands.init_prompts import _lines, remedy_for
from torrent_mover.domain.errors import DiskFull, LoginRefused, Unreachable

PATH = "/home/evening/a-folder-with-quite-a-long-name/and-another-one"


def test_a_long_sentence_goes_on_below_itself_and_no_word_is_broken():
    said = _lines("   > ", f"Is its disk mounted? See with: findmnt -T {PATH}", 40)

    assert said == ["   > Is its disk mounted? See with:", "     findmnt -T", f"     {PATH}"]


@pytest.mark.parametrize("width", [0, 24])
def test_where_the_width_is_not_known_or_leaves_no_room_it_is_one_line(width):
    assert _lines("   > ", "Mount its disk; or make it: mkdir -p /x", width) == [
        "   > Mount its disk; or make it: mkdir -p /x"
    ]


def test_somebody_who_is_asked_again_is_sent_to_no_section_of_a_config():
    told = [
        remedy_for(error("No.", remedy="Set it in [SOURCE_CLIENT]."), "Type it again.", "Start it there.")
        for error in (LoginRefused, Unreachable, DiskFull)
    ]

    assert told == ["Type it again.", "Start it there.", ""]
