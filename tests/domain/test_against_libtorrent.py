"""What libtorrent takes we take, with the paths that it gives, and what it refuses we refuse; each exception with its reason.

One torrent for each class of those that libtorrent tests itself with.
"""

from __future__ import annotations

import libtorrent
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.test_manifest import file, leaf, v1_info, v2_info
from torrent_mover.domain.errors import UnsafeTorrent
from torrent_mover.domain.torrent.bencode import encode
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.namesakes import Named, resolved
from torrent_mover.domain.torrent.pieces import BLOCK, SHA256_SIZE, merkle_root

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PADDING = 1
ROOT = b"r" * SHA256_SIZE
LAYER = b"y" * SHA256_SIZE + b"z" * SHA256_SIZE
BIG_ROOT = merkle_root(LAYER, 2, bytes(SHA256_SIZE))
BIG = leaf(BLOCK + 5, BIG_ROOT)
TWO = {b"a": leaf(5), b"b": leaf(6)}


def torrent(info, layers=None):
    return encode({b"info": info, **({} if layers is None else {b"piece layers": layers})})


def single(said=None):
    return torrent({b"length": 5, b"name": b"a", b"piece length": BLOCK, b"pieces": b"h" * 20} | (said or {}))


def raw(info):
    return b"d4:info" + info + b"e"


def raw_v1(extra=b"", length=b"i5e"):
    return raw(b"d6:length" + length + b"4:name1:a12:piece lengthi16384e6:pieces20:" + b"h" * 20 + extra + b"e")


def raw_v2(extra=b"", file_tree=None):
    tree = file_tree or b"d1:ad0:d6:lengthi5e11:pieces root32:" + ROOT + b"eee"
    return raw(b"d9:file tree" + tree + b"12:meta versioni2e4:name1:a12:piece lengthi16384e" + extra + b"e")


def link(*to):
    return file(0, b"l", attr=b"l") | {b"symlink path": list(to)}


def v2_link(*to):
    return {b"": {b"attr": b"l", b"symlink path": list(to)}}


def pad(size, name=b"1"):
    return file(size, b".pad", name, attr=b"p")


def hybrid(files, tree=None, layers=None, **more):
    return torrent(v1_info(*files) | v2_info(tree or TWO) | more, layers)


UNSORTED = b"d1:bd0:d6:lengthi5e11:pieces root32:" + ROOT + b"ee1:ad0:d6:lengthi5e11:pieces root32:" + ROOT + b"eee"

BOTH = {
    "a part above": torrent(v1_info(file(5, b"..", b"a"))),
    "a part above, in the middle": torrent(v1_info(file(5, b"d", b"..", b"a"))),
    "a part that is the folder itself": torrent(v1_info(file(5, b".", b"a"))),
    "an empty part": torrent(v1_info(file(5, b"", b"a"))),
    "an empty part at the end": torrent(v1_info(file(5, b"a", b""))),
    "nothing but dots": torrent(v1_info(file(5, b".."))),
    "three dots": torrent(v1_info(file(5, b"...", b"a"))),
    "slashes in names": torrent(v1_info(file(5, b"d/e", b"f/g"))),
    "an absolute path": torrent(v1_info(file(5, b"/etc", b"/passwd"))),
    "backslashes in names": torrent(v1_info(file(5, b"d\\e", b"\\", b"..\\x"))),
    "a NUL in a name": torrent(v1_info(file(5, b"a\0b"))),
    "control characters": torrent(v1_info(file(5, b"a\x01\x1fb"))),
    "invisible characters only": torrent(v1_info(file(5, b"\xe2\x80\xae", b"x"))),
    "dots after cleaning": torrent(v1_info(file(5, b".\xe2\x80\xae.", b"x"))),
    "invalid UTF-8": torrent(v1_info(file(5, b"a\xffb\xc3"))),
    "a long name": torrent(v1_info(file(5, b"x" * 300 + b".mkv"))),
    "a path without parts": torrent(v1_info(file(5))),
    "no path": torrent({**v1_info(file(5, b"a")), b"files": [{b"length": 5}]}),
    "a path in UTF-8 beside": torrent(v1_info(file(5, b"x") | {b"path.utf-8": [b"y"]})),
    "a path in UTF-8 that is none": torrent(v1_info(file(5, b"x") | {b"path.utf-8": b"y"})),
    "a path in UTF-8 without parts": torrent(v1_info(file(5, b"x") | {b"path.utf-8": []})),
    "a part that is a number": torrent(v1_info(file(5, b"x", 5))),
    "the name above": torrent(v1_info(file(5, b"x"), name=b"..")),
    "the name is empty": torrent(v1_info(file(5, b"x"), name=b"")),
    "the name has slashes": torrent(v1_info(file(5, b"x"), name=b"/d/e")),
    "the name is invisible": torrent(v1_info(file(5, b"x"), name=b"\xe2\x80\xae")),
    "a single file": single(),
    "a single file with slashes": single({b"name": b"/a/b"}),
    "a single file above": single({b"name": b".."}),
    "a single file without a name": single({b"name": b""}),
    "a single file with an empty name in UTF-8": single({b"name.utf-8": b""}),
    "a single file with a path": single({b"path": [b"x", b"y"]}),
    "a hidden and an executable file": torrent(v1_info(file(5, b"a", attr=b"h"), file(5, b"b", attr=b"x"))),
    "padding": torrent(v1_info(file(5, b"a"), pad(BLOCK - 5), file(6, b"b"))),
    "padding without a path": torrent(v1_info(file(5, b"a"), {b"length": 9, b"attr": b"p"}, file(6, b"b"))),
    "padding as BitComet calls it": torrent(v1_info(file(5, b"a"), file(9, b"_____padding_file_0"), file(6, b"b"))),
    "padding twice": torrent(v1_info(file(5, b"a"), pad(9), pad(9), file(6, b"b"))),
    "padding twice, of two sizes": torrent(v1_info(file(5, b"a"), pad(9), pad(10), file(6, b".pad", b"1"))),
    "a link": torrent(v1_info(file(5, b"a"), link(b"a"))),
    "a link with a length": torrent(v1_info(file(5, b"a"), link(b"a") | {b"length": 99_999}, pieces=1)),
    "a link without a length": torrent(
        v1_info(file(5, b"a")) | {b"files": [file(5, b"a"), {b"attr": b"l", b"path": [b"l"], b"symlink path": [b"a"]}]}
    ),
    "a link to nothing": torrent(v1_info(file(5, b"a"), link(b"nothing"))),
    "a link to itself": torrent(v1_info(file(5, b"a"), link(b"l"))),
    "a link outside": torrent(v1_info(file(5, b"a"), link(b"..", b"..", b"etc"))),
    "an absolute link": torrent(v1_info(file(5, b"a"), link(b"/etc", b"passwd"))),
    "a link that leads nowhere": torrent(v1_info(file(5, b"a"), file(0, b"l", attr=b"l"))),
    "a link to no part": torrent(v1_info(file(5, b"a"), link())),
    "a link that is a string": torrent(v1_info(file(5, b"a"), file(0, b"l", attr=b"l") | {b"symlink path": b"a"})),
    "a link to a number": torrent(v1_info(file(5, b"a"), link(b"a", 5))),
    "a v2 link": torrent(v2_info({b"a": leaf(5), b"l": v2_link(b"a")})),
    "a v2 link with a length": torrent(v2_info({b"a": leaf(5), b"l": {b"": v2_link(b"a")[b""] | {b"length": 9}}})),
    "a v2 link that leads nowhere": torrent(v2_info({b"a": leaf(5), b"l": {b"": {b"attr": b"l"}}})),
    "one path twice": torrent(v1_info(file(5, b"a"), file(6, b"a"))),
    "names that differ by case": torrent(v1_info(file(5, b"ReadMe.txt"), file(6, b"readme.txt"))),
    "folders that differ by case": torrent(v1_info(file(5, b"D", b"x"), file(6, b"d", b"x"), file(7, b"d", b"y"))),
    "a file with a folder's name": torrent(v1_info(file(5, b"k"), file(6, b"K", b"b"))),
    "names that collide after cleaning": torrent(v1_info(file(5, b"a\x01"), file(6, b"a\x02"), file(7, b"a\xff"))),
    "names that collide with what was found": torrent(v1_info(file(5, b"a"), file(6, b"a.1"), file(7, b"a"))),
    "no bytes": torrent(v1_info(file(0, b"a"))),
    "a file without bytes": torrent(v1_info(file(0, b"a"), file(5, b"b"))),
    "a negative length": torrent(v1_info(file(5, b"a"), file(-1, b"b"), pieces=1)),
    "a length that is a string": torrent({**v1_info(), b"files": [{b"length": b"5", b"path": [b"a"]}]}),
    "no length": torrent({b"name": b"a", b"piece length": BLOCK, b"pieces": b"h" * 20}),
    "no files": torrent(v1_info()),
    "a file that is a string": torrent({**v1_info(file(5, b"a")), b"files": [b"x"]}),
    "no name": torrent({b"length": 5, b"piece length": BLOCK, b"pieces": b"h" * 20}),
    "no piece hashes": torrent({b"length": 5, b"name": b"a", b"piece length": BLOCK}),
    "half a piece hash": single({b"pieces": b"h" * 19}),
    "a piece hash too many": single({b"pieces": b"h" * 40}),
    "pieces of no length": single({b"piece length": 0}),
    "pieces of a negative length": single({b"piece length": -5}),
    "pieces of 1 GiB": single({b"piece length": 2**30}),
    "a number with leading zeros": raw_v1(length=b"i005e"),
    "minus zero": raw_v1(b"1:xi-0e"),
    "a number of twenty digits": raw_v1(b"1:xi99999999999999999999e"),
    "a number of twenty-one digits": raw_v1(b"1:xi999999999999999999999e"),
    "keys out of order": raw(b"d4:name1:a6:lengthi5e12:piece lengthi16384e6:pieces20:" + b"h" * 20 + b"e"),
    "a key twice": raw(b"d6:lengthi5e4:name1:a4:name1:b12:piece lengthi16384e6:pieces20:" + b"h" * 20 + b"e"),
    "v2": raw_v2(),
    "v2, a number with leading zeros": raw_v2(b"1:xi00e"),
    "v2, minus zero": raw_v2(b"1:xi-01e"),
    "v2, a number of twenty digits": raw_v2(b"1:xi99999999999999999999e"),
    "v2, a length with leading zeros": raw_v2(b"1:x01:a"),
    "v2, keys of the tree out of order": raw_v2(file_tree=UNSORTED),
    "v2, a key of the tree twice": raw_v2(file_tree=UNSORTED.replace(b"1:bd", b"1:ad")),
    "v2, keys deep inside out of order": raw_v2(b"1:xld1:bi1e1:ai2eee"),
    "v2, sloppy outside of the info": raw_v2()[:-1] + b"1:xi01e1:ai1ee",
    "version 1 by name, a number with leading zeros": raw_v1().replace(b"i5e4:", b"i05e12:meta versioni1e4:"),
    "v2, a large file": torrent(v2_info({b"a": BIG}), {BIG_ROOT: LAYER}),
    "v2, two large files of one content": torrent(v2_info({b"a": BIG, b"b": BIG}), {BIG_ROOT: LAYER}),
    "v2, a layer of no file": torrent(v2_info({b"a": BIG}), {BIG_ROOT: LAYER, b"x" * 32: LAYER}),
    "v2, a layer of a small file": torrent(v2_info({b"a": leaf(5)}), {ROOT: LAYER}),
    "v2, a layer with a short name": torrent(v2_info({b"a": leaf(5)}), {b"x": LAYER}),
    "v2, a layer too short": torrent(v2_info({b"a": BIG}), {BIG_ROOT: LAYER[:32]}),
    "v2, no layers for a small file": torrent(v2_info({b"a": leaf(5)})),
    "v2, a file without bytes": torrent(v2_info({b"a": leaf(0), b"b": leaf(5)})),
    "v2, no root": torrent(v2_info({b"a": {b"": {b"length": 5}}})),
    "v2, a root of zeros": torrent(v2_info({b"a": leaf(5, bytes(32))})),
    "v2, padding": torrent(v2_info({b"a": leaf(5, attr=b"p"), b"b": leaf(5)})),
    "v2, a part above": torrent(v2_info({b"..": {b"a": leaf(5)}, b"b": leaf(5)})),
    "v2, a single file with slashes": torrent(v2_info({b"/a/b": leaf(5)})),
    "v2, nothing but dots": torrent(v2_info({b"..": leaf(5)})),
    "v2, names that differ by case": torrent(v2_info({b"A": leaf(5), b"a": leaf(6)})),
    "v2, an empty name": torrent(v2_info({b"": leaf(5)})),
    "v2, no files": torrent(v2_info({})),
    "v2, an empty folder": torrent(v2_info({b"a": {}, b"b": leaf(5)})),
    "v2, a file that is a folder": torrent(v2_info({b"a": {**leaf(5), b"b": leaf(5)}})),
    "v2, a number in the tree": torrent(v2_info({b"a": 5})),
    "v2, pieces of an odd length": torrent(v2_info({b"a": leaf(5)}, piece_length=BLOCK + 1)),
    "version 3": torrent(v2_info({b"a": leaf(5)}) | {b"meta version": 3}),
    "version 1 with a tree": torrent(v2_info({b"a": leaf(5)}) | {b"meta version": 1}),
    "version 2 without a tree": torrent(v1_info(file(5, b"a")) | {b"meta version": 2}),
    "hybrid": hybrid([file(5, b"a"), pad(BLOCK - 5), file(6, b"b")]),
    "hybrid, padding at the end": hybrid([file(5, b"a"), pad(BLOCK - 5), file(6, b"b"), pad(BLOCK - 6, b"2")]),
    "hybrid without padding": hybrid([file(5, b"a"), file(6, b"b")]),
    "hybrid, other names": hybrid([file(5, b"a"), pad(BLOCK - 5), file(6, b"c")]),
    "hybrid, other attributes": hybrid([file(5, b"a", attr=b"x"), pad(BLOCK - 5), file(6, b"b")]),
    "hybrid with a link": hybrid([file(5, b"a"), link(b"a")], {b"a": leaf(5), b"l": v2_link(b"a")}),
    "hybrid with a part above": hybrid(
        [file(5, b"..", b"a"), pad(BLOCK - 5), file(6, b"b")], {b"..": {b"a": leaf(5)}, b"b": leaf(6)}
    ),
    "hybrid, a length that is a string": torrent(v2_info({b"a": leaf(5)}) | {b"length": b"x"}),
    "hybrid, a list that is a string": torrent(v2_info({b"a": leaf(5)}) | {b"files": b"x"}),
}

STRICTER = {
    "nothing but padding has nothing to move": torrent(v1_info(pad(5))),
    "without its v2 hashes nothing could be proven": torrent(v2_info({b"a": BIG}), {}),
    "without any layers nothing could be proven": torrent(v2_info({b"a": BIG})),
    "no file system holds a name of 300 bytes": torrent(v1_info(file(5, b"\xff" * 300))),
}
"""Taken by libtorrent, refused by us."""

MILDER = {"libtorrent 2.0.8 takes such pieces": single({b"piece length": 2**29})}
"""Refused by the libtorrent of today, taken by us: clients of today seed it."""


def theirs(data):
    """Paths of the real files as libtorrent has them at its next start, with a mark for a link; None where it refuses."""
    try:
        files = libtorrent.torrent_info(data).files()
    except RuntimeError:
        return None
    real = (at for at in range(files.num_files()) if not int(files.file_flags(at)) & PADDING)
    return [(files.file_path(at), bool(files.symlink(at))) for at in real]


def ours(data):
    try:
        manifest = Manifest.parse(data)
    except UnsafeTorrent as error:
        assert error.remedy
        assert error.kept
        return None
    return [(manifest.renamed.get(file.index, str(file.path)), bool(file.link)) for file in manifest.files]


@pytest.mark.parametrize("what", BOTH)
def test_we_read_it_as_libtorrent_does(what):
    assert ours(BOTH[what]) == theirs(BOTH[what])


@pytest.mark.parametrize("why", STRICTER)
def test_what_libtorrent_takes_is_refused_for_a_reason_alone(why):
    assert (ours(STRICTER[why]), theirs(STRICTER[why]) is None) == (None, False)


@pytest.mark.parametrize("why", MILDER)
def test_what_the_libtorrent_of_today_refuses_is_taken_for_a_reason_alone(why):
    assert (ours(MILDER[why]) is None, theirs(MILDER[why])) == (False, None)


LETTERS = st.sampled_from(
    ["a", "A", "b", ".", "..", "/", "\\", "", "é", "_", "\x01", " ", ".txt", ".1", "\u202e", "\0"]
)
PARTS = st.lists(st.lists(LETTERS, max_size=3).map(lambda some: "".join(some).encode()), min_size=1, max_size=3)


@given(st.lists(PARTS, min_size=1, max_size=8), st.sampled_from([b"T", b"t.a", b"..", b"a/b", b""]))
@settings(max_examples=500)
def test_any_names_lead_where_libtorrent_would_have_them(paths, name):
    data = torrent(v1_info(*(file(5, *parts) for parts in paths), name=name))
    wanted, found = theirs(data), ours(data)
    if len(set(wanted)) == len(wanted):
        assert found == wanted
    else:  # 2.1 does not see that a name which it made up is another file's own; 2.0 does
        assert len(set(found)) == len(found)


def test_a_thousand_namesakes_are_told_apart_at_once():
    found = resolved(Named("T/a.txt", 1, index) for index in range(1_000))
    assert len(set(found.values())) == 999
