"""Our INI reader against the standard library's, which it must agree with."""

from __future__ import annotations

import configparser

from hypothesis import assume, example, given
from hypothesis import strategies as st

from torrent_mover.adapters.config.ini_syntax import read_ini

_WORD = st.text("abXY0_.-% =:#;[]\t", max_size=8)
_LINE = st.one_of(
    st.sampled_from(["[a]", "[b]", "[a b]", "[a]]", "", "  ", "# c", "  ; c", "key", "k:v=w", "k=v:w", "=", " k = v"]),
    st.tuples(st.sampled_from(["", "  ", "\t", "    "]), _WORD, st.sampled_from(["=", " = ", ":", " : "]), _WORD).map(
        "".join
    ),
    st.tuples(st.sampled_from(["", "  "]), _WORD).map("".join),
)


@given(st.lists(_LINE, max_size=12))
@example(["[a]", "k =", "  one", "", "  two", "# no", "  three", "j = 1"])
@example(["[a]", " k = 1", "  more", " j = 2"])
def test_what_configparser_accepts_is_read_the_same_and_what_it_refuses_is_a_fault(lines):
    # A line that begins like a section and is none is a slip of the pen to us, and a key to configparser.
    assume(not any(line.lstrip().startswith("[") and "]" not in line for line in lines))
    text = "\n".join(lines)
    parser = configparser.RawConfigParser(strict=True, default_section="\0")
    headings, entries, faults = read_ini(text, "x")
    ours = {name: {} for name, _ in headings}
    for entry in entries:
        ours[entry.section][entry.key.lower()] = entry.value
    try:
        parser.read_string(text)
    except configparser.Error:
        assert faults
    else:
        assert [str(fault) for fault in faults if "section is there twice" not in fault.what] == []
        assert ours == {name: dict(parser[name]) for name in parser.sections()}


def test_every_entry_knows_its_line():
    _, entries, _ = read_ini("# x\n\n[a]\nk = 1\n  2\n\nj : 3\n", "f.ini")
    assert [(entry.key, entry.value, str(entry.place)) for entry in entries] == [
        ("k", "1\n2", "f.ini:4"),
        ("j", "3", "f.ini:7"),
    ]


def test_a_bracket_that_is_not_closed_is_one_fault_and_its_lines_are_where_they_were_meant():
    headings, entries, faults = read_ini("[a]\nk = 1\n[SETTINGS\ntransfer_mode = sftp\norder = size\n", "f.ini")

    assert [name for name, _ in headings] == ["a", "SETTINGS"]
    assert [(entry.section, entry.key) for entry in entries] == [
        ("a", "k"),
        ("SETTINGS", "transfer_mode"),
        ("SETTINGS", "order"),
    ]
    assert [fault.remedy for fault in faults] == ["Write: [SETTINGS]"]
