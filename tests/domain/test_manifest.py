import hashlib
import tempfile
from pathlib import Path

import libtorrent
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torrent_mover.domain.errors import UnsafeTorrent
from torrent_mover.domain.torrent.bencode import decode, encode
from torrent_mover.domain.torrent.manifest import InfoHashes, Manifest
from torrent_mover.domain.torrent.pieces import BLOCK
from torrent_mover.domain.torrent.torrent import InfoHash

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SHAPES = {
    "v1": libtorrent.create_torrent.v1_only,
    "v1 with padding": libtorrent.create_torrent.v1_only | libtorrent.create_torrent.canonical_files,
    "v2": libtorrent.create_torrent.v2_only,
    "hybrid": libtorrent.create_torrent.canonical_files,
    "hybrid without padding at the end": libtorrent.create_torrent.canonical_files_no_tail_padding,
}
PADDING = 1


def sha1(data):
    return hashlib.sha1(data, usedforsecurity=False)


def noise(size, seed):
    """Bytes that look like anything, the same for the same seed."""
    return hashlib.shake_128(repr(seed).encode()).digest(size)


def file(size, *path, **more):
    return {b"length": size, b"path": list(path), **{key.encode(): value for key, value in more.items()}}


def v1_info(*files, name=b"T", pieces=None, piece_length=BLOCK, **more):
    total = sum(entry[b"length"] for entry in files)
    count = -(-total // piece_length) if pieces is None else pieces
    info = {b"files": list(files), b"name": name, b"piece length": piece_length, b"pieces": b"h" * 20 * count}
    return {**info, **{key.replace("_", " ").encode(): value for key, value in more.items()}}


def leaf(size, root=b"r" * 32, **more):
    said = {b"length": size, **({b"pieces root": root} if size else {})}
    return {b"": {**said, **{key.encode(): value for key, value in more.items()}}}


def v2_info(tree, *, name=b"T", piece_length=BLOCK, **more):
    info = {b"file tree": tree, b"meta version": 2, b"name": name, b"piece length": piece_length}
    return {**info, **{key.replace("_", " ").encode(): value for key, value in more.items()}}


def parse(info, layers=None):
    return Manifest.parse(encode({b"info": info, **({} if layers is None else {b"piece layers": layers})}))


def paths(manifest):
    return [str(entry.path) for entry in manifest.files]


# --- against libtorrent ---


def made_by_libtorrent(folder, contents, shape, piece_length):
    """Write the files and let libtorrent make a torrent of them. Returns the metainfo."""
    root = folder / "some name"
    if list(contents) == [""]:
        root.write_bytes(contents[""])
    for path, data in contents.items():
        if path:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
    storage = libtorrent.file_storage()
    libtorrent.add_files(storage, str(root))
    torrent = libtorrent.create_torrent(storage, piece_length, SHAPES[shape])
    libtorrent.set_piece_hashes(torrent, str(folder))
    return libtorrent.bencode(torrent.generate())


def bytes_of(manifest, span, folder):
    with (folder / str(manifest.files[span.file].path)).open("rb") as source:
        source.seek(span.offset)
        return source.read(span.length)


def bad_pieces(manifest, folder, chunk):
    """Hash everything, in chunks of that size."""
    bad = []
    for piece in range(manifest.piece_count):
        hasher = manifest.hasher(piece)
        for span in manifest.spans(piece, piece):
            data = memoryview(bytes_of(manifest, span, folder))
            for start in range(0, len(data), chunk):
                hasher.update(data[start : start + chunk])
        if not hasher.good():
            bad.append(piece)
    return bad


def flip_one_byte(manifest, folder, position):
    """Change the byte at a position of the real stream. Returns (file, offset)."""
    for entry in manifest.files:
        if position < entry.size:
            target = folder / str(entry.path)
            data = bytearray(target.read_bytes())
            data[position] ^= 1
            target.write_bytes(data)
            return entry.index, position
        position -= entry.size
    raise AssertionError("position is behind the end")


NAMES = ["a", "b.mkv", "dir/c", "dir/d e", "dir/deep/é", "z", "-dash", "[x]"]
SIZES = st.sampled_from([0, 1, 7, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 40_000, 3 * BLOCK + 5]) | st.integers(
    0, 150_000
)
contents = st.dictionaries(st.sampled_from(NAMES), SIZES, min_size=2).filter(lambda sizes: any(sizes.values()))
single = st.builds(lambda size: {"": size}, st.integers(1, 200_000))


@pytest.mark.parametrize("shape", SHAPES)
@given(
    sizes=contents | single,
    piece_length=st.sampled_from([BLOCK, 2 * BLOCK, 4 * BLOCK]),
    chunk=st.sampled_from([1000, BLOCK, 255 * 1024]),
    where=st.integers(0, 2**32),
)
@settings(max_examples=30, deadline=None)
def test_a_real_torrent_is_read_as_libtorrent_reads_it_and_proves_its_content(shape, sizes, piece_length, chunk, where):
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        made = made_by_libtorrent(folder, {k: noise(v, k) for k, v in sizes.items()}, shape, piece_length)
        manifest = Manifest.parse(made)
        oracle = libtorrent.torrent_info(made)
        listed = oracle.files()
        real = [index for index in range(listed.num_files()) if not int(listed.file_flags(index)) & PADDING]
        assert paths(manifest) == [listed.file_path(index) for index in real]
        assert [entry.size for entry in manifest.files] == [listed.file_size(index) for index in real]
        assert [entry.index for entry in manifest.files] == list(range(len(real)))
        assert manifest.piece_count == oracle.num_pieces()
        assert [manifest.piece_size(i) for i in range(manifest.piece_count)] == [
            oracle.piece_size(i) for i in range(oracle.num_pieces())
        ]
        for entry, index in zip(manifest.files, real, strict=True):
            if entry.size:
                assert manifest.pieces_of(entry.index).start == listed.file_offset(index) // piece_length
        hashes = oracle.info_hashes()
        assert manifest.hashes.v1 == (str(hashes.v1) if hashes.has_v1() else None)
        assert manifest.hashes.v2 == (str(hashes.v2) if hashes.has_v2() else None)
        assert str(manifest.hashes.client_id) == str(hashes.get_best())

        assert bad_pieces(manifest, folder, chunk) == []
        changed, offset = flip_one_byte(manifest, folder, where % manifest.total_size)
        (hit,) = [
            piece
            for piece in manifest.pieces_of(changed)
            for span in manifest.spans(piece, piece)
            if span.file == changed and span.offset <= offset < span.offset + span.length
        ]
        assert bad_pieces(manifest, folder, chunk) == [hit]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_folder_of_one_file_lies_where_libtorrent_puts_it(shape, tmp_path):
    made = made_by_libtorrent(tmp_path, {"only": b"x"}, shape, BLOCK)
    assert paths(Manifest.parse(made)) == [libtorrent.torrent_info(made).files().file_path(0)]


# --- pieces and files ---

layouts = st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=12).filter(
    lambda files: any(size for size, padding in files if not padding)
)


def laid_out(layout, piece_length):
    """A v1 torrent of such files (size, is padding), and its content: the real files, and the stream with padding."""
    files, real, stream = [], [], b""
    for number, (size, padding) in enumerate(layout):
        data = bytes(size) if padding else noise(size, number)
        files.append(file(size, b"%d" % number, **({"attr": b"p"} if padding else {})))
        real += [] if padding else [data]
        stream += data
    pieces = [stream[at : at + piece_length] for at in range(0, len(stream), piece_length)]
    info = v1_info(*files, piece_length=piece_length)
    info[b"pieces"] = b"".join(sha1(piece).digest() for piece in pieces)
    return parse(info), real


@given(layouts, st.integers(1, 60))
def test_pieces_cover_each_real_byte_exactly_once_and_in_order(layout, piece_length):
    manifest, real = laid_out(layout, piece_length)
    covered = [
        (span.file, at)
        for piece in range(manifest.piece_count)
        for span in manifest.spans(piece, piece)
        for at in range(span.offset, span.offset + span.length)
    ]
    assert covered == [(index, at) for index, data in enumerate(real) for at in range(len(data))]
    assert manifest.total_size == len(covered)
    for piece in range(manifest.piece_count):
        assert manifest.real_size(piece) == sum(span.length for span in manifest.spans(piece, piece))


@given(layouts, st.integers(1, 60), st.data())
def test_spans_of_many_pieces_are_those_of_each_merged_by_file(layout, piece_length, data):
    manifest, _ = laid_out(layout, piece_length)
    first = data.draw(st.integers(0, manifest.piece_count - 1))
    last = data.draw(st.integers(first, manifest.piece_count - 1))
    merged = {}
    for piece in range(first, last + 1):
        for span in manifest.spans(piece, piece):
            offset, length = merged.get(span.file, (span.offset, 0))
            merged[span.file] = (offset, length + span.length)
    spans = manifest.spans(first, last)
    assert [(span.file, (span.offset, span.length)) for span in spans] == list(merged.items())


@given(layouts, st.integers(1, 60))
def test_files_know_their_pieces_and_pieces_their_files(layout, piece_length):
    manifest, real = laid_out(layout, piece_length)
    by_piece = {(index, piece) for piece in range(manifest.piece_count) for index in manifest.files_of(piece)}
    by_file = {(entry.index, piece) for entry in manifest.files for piece in manifest.pieces_of(entry.index)}
    assert by_piece == by_file
    assert all(not manifest.pieces_of(index) for index, data in enumerate(real) if not data)


@given(layouts, st.integers(1, 60), st.integers(1, 50))
def test_v1_pieces_are_judged_with_padding_anywhere(layout, piece_length, chunk):
    manifest, real = laid_out(layout, piece_length)
    for piece in range(manifest.piece_count):
        hasher = manifest.hasher(piece)
        data = b"".join(real[span.file][span.offset :][: span.length] for span in manifest.spans(piece, piece))
        for start in range(0, len(data), chunk):
            hasher.update(memoryview(data)[start : start + chunk])
        assert hasher.good()


@pytest.mark.parametrize("piece", [-1, 1])
def test_there_are_no_pieces_outside_the_torrent(piece):
    manifest = parse(v1_info(file(5, b"a")))
    for act in (manifest.piece_size, manifest.hasher, lambda piece: manifest.spans(0, piece)):
        with pytest.raises(IndexError):
            act(piece)


# --- what is said ---


def test_clients_name_a_torrent_by_its_v2_hash_where_it_has_one():
    assert InfoHashes("a" * 40, None).client_id == InfoHash("a" * 40)
    assert InfoHashes("a" * 40, "b" * 64).client_id == InfoHash("b" * 40)


def test_the_infohash_is_of_the_raw_info_even_if_it_is_not_canonical():
    raw = b"d6:pieces20:" + b"h" * 20 + b"4:name1:a6:lengthi05e12:piece lengthi16384ee"
    assert Manifest.parse(b"d4:info" + raw + b"e").hashes.v1 == sha1(raw).hexdigest()


@pytest.mark.parametrize(("said", "private"), [({}, False), ({"private": 0}, False), ({"private": 1}, True)])
def test_private_is_what_the_torrent_says(said, private):
    assert parse(v1_info(file(5, b"a"), **said)).private is private


def test_paths_in_utf8_win_over_plain_ones():
    said = file(5, b"\xff") | {b"path.utf-8": ["ü".encode()]}
    info = v1_info(said, name=b"\xff") | {b"name.utf-8": "Ä".encode()}
    assert paths(parse(info)) == ["Ä/ü"]


def test_a_single_v2_file_lies_without_a_folder_under_its_own_name():
    assert paths(parse(v2_info({b"inside": leaf(5)}, name=b"outside"))) == ["inside"]


def test_case_twins_are_two_files():
    assert paths(parse(v1_info(file(1, b"a"), file(1, b"A")))) == ["T/a", "T/A"]


def test_padding_by_name_is_padding_too():
    manifest = parse(v1_info(file(5, b"a"), file(BLOCK - 5, b"_____padding_file_0_x"), file(1, b"b")))
    assert paths(manifest) == ["T/a", "T/b"]
    assert manifest.piece_count == 2


def test_a_hybrid_without_v2_piece_hashes_is_judged_by_v1():
    data = b"x" * (BLOCK + 5)
    info = v2_info({b"a": leaf(len(data))}, name=b"a", length=len(data))
    info[b"pieces"] = sha1(data[:BLOCK]).digest() + sha1(data[BLOCK:]).digest()
    manifest = parse(info)
    assert manifest.kind == "hybrid"
    hasher = manifest.hasher(1)
    hasher.update(data[BLOCK:])
    assert hasher.good()


# --- what is refused ---

LAYER = hashlib.sha256(b"x" * BLOCK).digest() + hashlib.sha256(b"y").digest()
BIG = leaf(BLOCK + 1, root=hashlib.sha256(LAYER).digest())
TWO = {b"a": leaf(5), b"b": leaf(7)}


def pad(size):
    return file(size, b".pad", b"%d" % size, attr=b"p")


HOSTILE = {
    "no path": v1_info(file(5)),
    "a single file called as the folder above": {
        b"length": 5,
        b"name": b"..",
        b"piece length": BLOCK,
        b"pieces": b"h" * 20,
    },
    "a name of 300 bytes after cleaning": v1_info(file(5, b"\xff" * 300)),
    "a symbolic link to a number": v1_info(file(5, b"a"), file(0, b"l", attr=b"l") | {b"symlink path": [7]}),
}
BROKEN = {
    "no files": v1_info(),
    "only padding": v1_info(pad(5)),
    "only empty files": v1_info(file(0, b"a")),
    "a negative length": v1_info(file(-1, b"a"), pieces=1),
    "a length that is a string": {**v1_info(), b"files": [{b"length": b"5", b"path": [b"a"]}]},
    "a path that is a string": v1_info({b"length": 5, b"path": b"a"}),
    "a path part that is a number": v1_info(file(5, 7)),
    "a file that is a number": {**v1_info(file(5, b"a")), b"files": [7]},
    "too few piece hashes": v1_info(file(5, b"a"), pieces=0),
    "too many piece hashes": v1_info(file(5, b"a"), pieces=2),
    "half a piece hash": {**v1_info(file(5, b"a")), b"pieces": b"h" * 19},
    "pieces of no length": v1_info(file(5, b"a"), pieces=1) | {b"piece length": 0},
    "pieces of 1 GiB": v1_info(file(5, b"a"), piece_length=2**30),
    "version 3": v1_info(file(5, b"a"), meta_version=3),
    "version 2 without a tree": v1_info(file(5, b"a"), meta_version=2),
    "a tree of version 1": {**v1_info(file(5, b"a")), b"file tree": {b"a": leaf(5)}},
    "a tree that is a list": v2_info([]),
    "a file among folders": v2_info({b"a": {**leaf(5), b"b": leaf(5)}}),
    "a file without properties": v2_info({b"a": {b"": 5}}),
    "a v2 file without a root": v2_info({b"a": {b"": {b"length": 5}}}),
    "a v2 root of zeros": v2_info({b"a": leaf(5, root=bytes(32))}),
    "a v2 file marked as padding": v2_info({b"a": leaf(5, attr=b"p"), b"b": leaf(5)}),
    "v2 pieces under 16 KiB": v2_info({b"a": leaf(5)}, piece_length=BLOCK // 2),
    "v2 pieces of an odd size": v2_info({b"a": leaf(5)}, piece_length=3 * BLOCK),
    "a hybrid of other sizes": v2_info(TWO) | v1_info(file(5, b"a"), pad(BLOCK - 5), file(8, b"b")),
    "a hybrid of other names": v2_info(TWO) | v1_info(file(5, b"a"), pad(BLOCK - 5), file(7, b"c")),
    "a hybrid in another order": v2_info(TWO) | v1_info(file(7, b"b"), pad(BLOCK - 7), file(5, b"a")),
    "a hybrid without padding": v2_info(TWO) | v1_info(file(5, b"a"), file(7, b"b")),
    "a hybrid with a file more": v2_info(TWO)
    | v1_info(file(5, b"a"), pad(BLOCK - 5), file(7, b"b"), pad(BLOCK - 7), file(1, b"c")),
    "a hybrid with pieces more": v2_info(TWO) | v1_info(file(5, b"a"), pad(BLOCK - 5), file(7, b"b"), pad(2 * BLOCK)),
}


@pytest.mark.parametrize("what", [*HOSTILE, *BROKEN])
def test_hostile_and_broken_torrents_are_refused_with_a_remedy(what):
    with pytest.raises(UnsafeTorrent) as caught:
        parse((HOSTILE | BROKEN)[what])
    assert caught.value.remedy
    assert caught.value.kept


@pytest.mark.parametrize("what", [name for name in BROKEN if name not in ("only padding", "pieces of 1 GiB")])
def test_no_torrent_is_called_broken_that_libtorrent_takes(what):
    with pytest.raises(RuntimeError):
        libtorrent.torrent_info(encode({b"info": BROKEN[what], b"piece layers": {}}))


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        (None, "missing"),
        ({}, "missing"),
        ({BIG[b""][b"pieces root"]: LAYER[:32]}, "do not fit"),
        ({BIG[b""][b"pieces root"]: LAYER[32:] + LAYER[:32]}, "not those of its root"),
    ],
)
def test_v2_piece_hashes_are_trusted_only_when_the_root_proves_them(layers, reason):
    with pytest.raises(UnsafeTorrent, match=reason):
        parse(v2_info({b"a": BIG}), layers)
    assert parse(v2_info({b"a": BIG}), {BIG[b""][b"pieces root"]: LAYER}).piece_count == 2


def test_a_file_tree_that_can_be_read_in_two_ways_is_refused():
    good = encode({b"info": v2_info({b"a": leaf(5), b"b": leaf(5)})})
    twice = good.replace(b"1:bd", b"1:ad")
    with pytest.raises(UnsafeTorrent, match="stands twice"):
        Manifest.parse(twice)


@pytest.mark.parametrize("data", [b"de", b"d4:infoi1ee", b"d4:infolee", b"d4:infodee", b"<html>"])
def test_what_is_no_torrent_is_refused(data):
    with pytest.raises(UnsafeTorrent):
        Manifest.parse(data)


def places(value, above=()):
    """Where in a document a value could be exchanged."""
    yield above
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        yield from places(below, (*above, key))


def exchanged(document, place, value):
    copy = decode(encode(document))
    if not place:
        return value
    inside = copy
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value
    return copy


SAMPLES = [
    {b"info": v1_info(file(5, b"a"), pad(BLOCK - 5), file(7, b"d", b"b"), private=1)},
    {b"info": v2_info(TWO | {b"big": BIG}), b"piece layers": {BIG[b""][b"pieces root"]: LAYER}},
    {b"info": v2_info(TWO) | v1_info(file(5, b"a"), pad(BLOCK - 5), file(7, b"b"))},
]
ANYTHING = st.recursive(
    st.integers(-(2**64), 2**64) | st.binary(max_size=40) | st.sampled_from([b"..", b"/", 2, 2**62, bytes(32)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([b"", b"a", b"length"]), inner),
    max_leaves=5,
)


@given(st.sampled_from(SAMPLES), st.data(), ANYTHING)
@settings(max_examples=500)
def test_one_wrong_value_anywhere_is_read_or_refused_and_nothing_else_happens(document, data, value):
    place = data.draw(st.sampled_from(list(places(document))))
    try:
        manifest = Manifest.parse(encode(exchanged(document, place, value)))
    except UnsafeTorrent:
        return
    for piece in range(manifest.piece_count):
        assert not manifest.hasher(piece).good()
        assert sum(span.length for span in manifest.spans(piece, piece)) <= manifest.piece_size(piece)


@given(st.sampled_from(SAMPLES), st.data())
@settings(max_examples=300)
def test_one_flipped_byte_anywhere_is_read_or_refused_and_nothing_else_happens(document, data):
    raw = bytearray(encode(document))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert Manifest.parse(bytes(raw)).piece_count > 0
    except UnsafeTorrent as error:
        assert error.remedy
        if "is broken at byte" in error.what:
            with pytest.raises(RuntimeError):
                libtorrent.torrent_info(bytes(raw))
