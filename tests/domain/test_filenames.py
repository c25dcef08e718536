import libtorrent
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torrent_mover.domain.bencode import encode
from torrent_mover.domain.errors import UnsafeTorrent
from torrent_mover.domain.filenames import Cleaner, clean

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
    try:
        cleaned = str(Cleaner().path([name]))
    except UnsafeTorrent:
        cleaned = None
    theirs = on_disk_for_libtorrent(name)
    if theirs is not None and len(theirs.encode()) > 255:
        theirs = None  # no Linux file system could hold it
    assert cleaned == theirs


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a/b", b"/etc/passwd", b"a\0b", b"\\", b"\xe2\x80\xae"])
def test_hostile_names_are_refused_with_a_remedy(name):
    with pytest.raises(UnsafeTorrent) as caught:
        clean(name)
    assert caught.value.remedy


@pytest.mark.parametrize("name", [b"\\.", b".\\.", b"\xe2\x80\x8e..", b".\xe2\x80\xae."])
def test_a_name_that_only_becomes_dots_when_cleaned_is_refused_too(name):
    with pytest.raises(UnsafeTorrent):
        Cleaner().path([b"folder", name])


def test_a_long_name_keeps_its_extension():
    assert clean(b"x" * 300 + b".mkv") == "x" * 240 + ".mkv"


def test_equal_parts_share_one_string():
    cleaner = Cleaner()
    one, other = cleaner.path([b"some folder", b"a"]), cleaner.path([b"some " + b"folder", b"b"])
    assert one.parts[0] is other.parts[0]
