"""An entry of an account goes only with a Removal, and each guard of the four that make one counts."""

from __future__ import annotations

import ast
import types
from dataclasses import replace
from pathlib import Path

import pytest

from torrent_mover.domain.debrid import removal
from torrent_mover.domain.debrid.account import (
    RemoteFile,
    RemoteId,
    RemoteLink,
    RemoteStatus,
    RemoteTorrent,
    Standing,
)
from torrent_mover.domain.debrid.errors import RemovalRefused
from torrent_mover.domain.debrid.wanted import selected_of, wanted_file
from torrent_mover.domain.torrent.torrent import InfoHash

HASH, OTHER = InfoHash("3f2a" * 10), InfoHash("77aa" * 10)
NOW = 5000.0
FILES = (
    RemoteFile(1, "Show/e1.mkv", 100, True),
    RemoteFile(2, "Show/e2.mkv", 200, True),
    RemoteFile(3, "n.txt", 1, False),
)
GOOD = Standing("jane", 1e6, True)


def entry(text, status=RemoteStatus.DOWNLOADED, account="rd", files=FILES):
    links = tuple(RemoteLink(account, f"https://x/{file.number}") for file in files if file.selected)
    return RemoteTorrent(
        RemoteId(account, text), HASH, "Show", status, status.value, 1.0, 300, files=files, links=links
    )


OLD, NEW = entry("OLD", RemoteStatus.DEAD), entry("NEW")
WANTED = selected_of(NEW)


def swap(module, **changed):
    given = {
        "old": module.Seen(OLD, NOW - 5), "new": module.Seen(NEW, NOW - 5), "wanted": WANTED,
        "proof": module.LinkProof(NEW.id, WANTED, NOW - 100), "leave": module.RemovalLeave(True, GOOD, NOW - 5, 3), **changed,
    }  # fmt: skip
    return module.certify_swap(HASH, given["wanted"], given["old"], given["new"], given["proof"], given["leave"], NOW)


def unused(module, **changed):
    given = {
        "ours": module.Seen(entry("NEW", RemoteStatus.DOWNLOADING), NOW), "added": NEW.id, "before": frozenset({OLD.id}),
        "leave": module.RemovalLeave(True, GOOD, NOW, 3), "swapped_in": False, "others_hold": False, **changed,
    }  # fmt: skip
    return module.certify_unused(
        HASH, given["ours"], given["added"], given["before"], given["leave"], NOW,
        swapped_in=given["swapped_in"], others_hold=given["others_hold"],
    )  # fmt: skip


def duplicate(module, **changed):
    given = {
        "doomed": module.Seen(entry("OLD"), NOW), "keeper": module.Seen(NEW, NOW),
        "proof": module.LinkProof(NEW.id, WANTED, NOW), "leave": module.RemovalLeave(True, GOOD, NOW, 3), **changed,
    }  # fmt: skip
    return module.certify_duplicate(HASH, given["doomed"], given["keeper"], given["proof"], given["leave"], NOW)


def terminal(module, **changed):
    given = {
        "entry": module.Seen(OLD, NOW), "leave": module.RemovalLeave(True, GOOD, NOW, 3), "refused": True, "searches": True,
        "arr_proven": True, **changed,
    }  # fmt: skip
    return module.certify_terminal(
        HASH, given["entry"], given["leave"], NOW, refused=given["refused"], searches=given["searches"],
        arr_proven=given["arr_proven"],
    )  # fmt: skip


def _leaves(module):
    return (
        module.RemovalLeave(False, GOOD, NOW, 3),
        module.RemovalLeave(True, replace(GOOD, good=False, trouble="premium ended"), NOW, 3),
        module.RemovalLeave(True, GOOD, NOW - 61, 3),
        module.RemovalLeave(True, GOOD, NOW + 1, 3),
        module.RemovalLeave(True, GOOD, NOW, 0),
    )


def _bad_looks(module, good):
    return (
        module.Seen(None, NOW),
        module.Seen(replace(good, hash=OTHER), NOW),
        module.Seen(replace(good, hash=None), NOW),
        module.Seen(good, NOW - 61),
    )


def refusals(module):
    """Everything that speaks against a removal, one at a time."""
    proof = module.LinkProof(NEW.id, WANTED, NOW)
    fewer = frozenset(list(WANTED)[:1])
    for certify in (swap, unused, duplicate, terminal):
        for leave in _leaves(module):
            yield certify, {"leave": leave}
    for certify, name, good in (
        (swap, "old", OLD), (swap, "new", NEW), (unused, "ours", entry("NEW", RemoteStatus.DOWNLOADING)),
        (duplicate, "doomed", entry("OLD")), (duplicate, "keeper", NEW), (terminal, "entry", OLD),
    ):  # fmt: skip
        for look in _bad_looks(module, good):
            yield certify, {name: look}
    for certify, name in ((swap, "new"), (duplicate, "keeper")):
        yield certify, {name: module.Seen(replace(NEW, status=RemoteStatus.DOWNLOADING), NOW)}
        yield certify, {name: module.Seen(replace(NEW, id=RemoteId("rd", "ELSE")), NOW)}
        yield certify, {"proof": None}
        yield certify, {"proof": replace(proof, at=NOW - 601)}
        yield certify, {"proof": replace(proof, files=fewer)}
    more = entry("NEW", files=(*FILES[:2], replace(FILES[2], selected=True)))
    yield swap, {"new": module.Seen(more, NOW)}
    yield swap, {"old": module.Seen(replace(NEW), NOW)}
    yield swap, {"old": module.Seen(entry("OLD", RemoteStatus.DEAD, account="tb"), NOW)}
    yield swap, {"old": module.Seen(replace(OLD, files=(*FILES, RemoteFile(4, "extra.mkv", 9, True))), NOW)}
    yield swap, {"wanted": frozenset(), "old": module.Seen(replace(OLD, files=()), NOW)}
    yield swap, {"wanted": WANTED | {wanted_file("Show/e3.mkv", 3)}}
    yield unused, {"added": None}
    yield unused, {"added": RemoteId("rd", "ELSE")}
    yield unused, {"before": frozenset({NEW.id})}
    yield unused, {"ours": module.Seen(NEW, NOW)}
    yield unused, {"swapped_in": True}
    yield duplicate, {"doomed": module.Seen(NEW, NOW)}
    yield duplicate, {"doomed": module.Seen(more if more.id != NEW.id else replace(more, id=OLD.id), NOW)}
    unknown = {"doomed": module.Seen(replace(OLD, files=None), NOW)}
    yield duplicate, {**unknown, "keeper": module.Seen(replace(NEW, files=None), NOW)}
    yield duplicate, {"proof": module.LinkProof(NEW.id, frozenset(), NOW)}
    yield terminal, {"refused": False}
    yield terminal, {"searches": False}
    yield terminal, {"arr_proven": False}


CERTIFIED = (
    (swap, {}, "OLD", "replaced"),
    (swap, {"old": removal.Seen(replace(OLD, files=None), NOW)}, "OLD", "replaced"),
    (unused, {}, "NEW", "ours, unused"),
    (unused, {"ours": removal.Seen(NEW, NOW), "others_hold": True}, "NEW", "ours, unused"),
    (duplicate, {}, "OLD", "duplicate"),
    (terminal, {}, "OLD", "terminal"),
    (
        terminal,
        {"entry": removal.Seen(replace(OLD, status=RemoteStatus.VIRUS), NOW), "refused": False},
        "OLD",
        "terminal",
    ),
)


@pytest.mark.parametrize(("certify", "changed", "gone", "reason"), CERTIFIED)
def test_what_is_proven_may_go(certify, changed, gone, reason):
    made = certify(removal, **changed)

    assert (made.id.text, made.hash, made.reason.value) == (gone, HASH, reason)


def test_each_thing_that_speaks_against_a_removal_keeps_the_entry():
    for certify, changed in refusals(removal):
        with pytest.raises(RemovalRefused):
            certify(removal, **changed)


def test_nobody_else_can_make_a_removal():
    with pytest.raises(TypeError, match=r"removal\.py alone"):
        removal.Removal(object(), NEW.id, HASH, removal.RemovalReason.REPLACED, NOW)


def _mutants():
    """The module with one guard after another taken out."""
    tree = ast.parse(Path(removal.__file__).read_text(encoding="utf-8"))
    guards = [
        node
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Expr)
        and (
            isinstance(node.value, ast.Yield)
            or (isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "reasons.append")
        )
    ]
    for guard in guards:
        kept = guard.value
        guard.value = ast.Constant(None)
        module = types.ModuleType("mutant")
        module.__dict__["__name__"] = "torrent_mover.domain.debrid.removal"
        exec(compile(ast.fix_missing_locations(tree), "mutant", "exec"), module.__dict__)  # noqa: S102
        yield ast.unparse(kept), module
        guard.value = kept


def test_every_mutant_without_one_guard_lets_something_go_that_must_stay():
    survivors = []
    for guard, module in _mutants():
        if not any(_lets_go(module, certify, changed) for certify, changed in refusals(module)):
            survivors.append(guard)

    assert survivors == []


def _lets_go(module, certify, changed):
    try:
        certify(module, **changed)
    except RemovalRefused:
        return False
    return True
