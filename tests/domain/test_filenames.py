import libtorrent
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torrent_mover.domain.torrent.bencode import encode
from torrent_mover.domain.torrent.filenames import Cleaner, clean, is_odd, without_dots

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

# Where libtorrent 2.0 and 2.1 agree: no DEL, no C1 controls, no zero-width marks beyond the direction ones.
PIECES_OF_NAMES = (
    b"a|b|_| |.|..|.txt|.mkv|\x01|\x1f|\\|\xc3\xa9|\xe2\x82\xac|\xf0\x9f\x98\x80|\xe2\x80\x8e|\xe2\x80\xae|"
    b"\xff|\xc3|\xe2|\xe2\x82|\x80|\xf0\x90|\xf8|\xfc|\xfe|\xed\xa0\x80|\xc0\xaf|\xe0\x80\x80|\xf4\x90\x80\x80"
).split(b"|")
odd = st.lists(st.sampled_from(PIECES_OF_NAMES), min_size=1, max_size=20).map(b"".join)
long = st.builds(
    lambda unit, count: unit * count, st.sampled_from([b"a", b"\xc3\xa9", b"\xe2\x82\xac"]), st.integers(70, 245)
)


def on_disk_for_libtorrent(name):
    """The name of a single-file torrent's file; None where libtorrent refuses the torrent."""
    info = {b"length": 1, b"name": name, b"piece length": 16384, b"pieces": bytes(20)}
    try:
        return libtorrent.torrent_info(encode({b"info": info})).files().file_path(0)
    except RuntimeError:
        return None


@given(odd | st.builds(lambda start, end: start + end, long, odd))
@settings(max_examples=400)
def test_names_are_cleaned_exactly_as_libtorrent_cleans_them(name):
    cleaned = "" if not without_dots(name) else clean(name)
    if len(cleaned.encode()) <= 255:  # no Linux file system could hold it
        assert (cleaned or None) == on_disk_for_libtorrent(name)


@given(st.lists(odd | st.sampled_from([b"", b".", b"..", b"/", b"a/b", b"a\0b", b"..."]), min_size=1, max_size=4))
@settings(max_examples=300)
def test_no_part_of_a_path_can_lead_elsewhere(raw):
    for part in Cleaner().parts(raw):
        assert part not in ("", ".", "..")
        assert "/" not in part
        assert "\0" not in part


@pytest.mark.parametrize(
    "name", [b"..", b"a/b", b"/etc", b"a\0b", b"\xff", b"a\x01", b"\xe2\x80\xae", b"a\x7fb", b"x" * 300]
)
def test_names_that_clients_read_in_different_ways_are_odd(name):
    assert is_odd(name, clean(name))


@pytest.mark.parametrize("name", ["a b", "\u3000", "ü", "[x]-1.mkv"])
def test_usual_names_are_not(name):
    assert not is_odd(name.encode(), clean(name.encode()))


def test_a_long_name_keeps_its_extension():
    assert clean(b"x" * 300 + b".mkv") == "x" * 240 + ".mkv"


def test_equal_parts_share_one_string():
    cleaner = Cleaner()
    one, other = cleaner.parts([b"some folder", b"a"]), cleaner.parts([b"some " + b"folder", b"b"])
    assert one[0] is other[0]
