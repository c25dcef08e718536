"""Each guard of the decisions about mounts, accounts, verdicts and waves is needed: without it, one would be another."""

from __future__ import annotations

import ast
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from torrent_mover.domain.debrid.account import RemoteStatus, Standing
from torrent_mover.domain.debrid.links import MountLook
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid import mount_guard, turns, verdicts

HASH = InfoHash("3f2a" * 10)
SOUND = {"mounted": True, "entries": 100, "sentinel": True}
HOUR = 3600.0


def _mount(module) -> Iterator[bool]:
    """Whether looks at a mount raise a doubt."""
    last = module.SoundMeasure(100)
    rclone = {**SOUND, "sentinel": None, "sample": 20}
    for look in (
        SOUND,
        {**SOUND, "entries": 90},
        {**rclone, "sample_seen": 18},
        {**SOUND, "trouble": "it answers: Input/output error"},
        {"mounted": False, "entries": None, "sentinel": None},
        {**SOUND, "entries": None},
        {**SOUND, "entries": None, "trouble": "it did not answer"},
        {**SOUND, "sentinel": False},
        {**rclone, "sample_seen": 17},
        {**SOUND, "sample": 20, "sample_seen": 0},
        {**SOUND, "entries": 89},
    ):
        yield bool(module.mount_doubts(MountLook(**look), last))
    for broken, scope in ((20, 20), (21, 1000), (51, 1000), (21, 21)):
        yield module.too_many_broken(broken, scope, 0.05)


def _mount_said(module) -> Iterator[object]:
    """In so many words, where one doubt hides the others."""
    yield from _mount(module)
    yield module.mount_doubts(MountLook(mounted=False, entries=None, sentinel=None), module.SoundMeasure(100))
    yield module.mount_doubts(
        MountLook(mounted=True, entries=None, sentinel=None, trouble="it did not answer"), module.SoundMeasure(100)
    )


def _verdicts(module) -> Iterator[object]:
    """What is found, and whether it is proven."""
    fault, day = module.Fault, 24 * HOUR
    for status in RemoteStatus:
        for age in (HOUR - 1, HOUR + 1, 90 * day):
            yield module.fault_of(status, 1.0, 1.0 + age, links=2, files=2)
    yield module.fault_of(RemoteStatus.CHOOSING, 0.0, 90 * day)
    yield module.fault_of(RemoteStatus.DOWNLOADED, 1.0, 2.0, links=1, files=2)
    yield module.fault_of(RemoteStatus.DOWNLOADED, 1.0, 2.0, links=1, files=2, packed=True)
    yield module.fault_of(RemoteStatus.DOWNLOADING, 1.0, 2.0, links=0, files=2)
    for each in fault:
        for pause in (1.0, 1799.0, 1800.0):
            first = module.seen_again(None, module.DebridFinding(HASH, "A", "x", each, 1000.0, 1000.0))
            then = 1000.0 + pause
            for again in (each, fault.HALF_DEAD if each is not fault.HALF_DEAD else fault.VANISHED):
                for own in ("A", "B"):
                    found = module.seen_again(first, module.DebridFinding(HASH, own, "x", again, then, then))
                    yield (first.proven, found.proven, found.looks, found.first_at, found.last_at, found.final_at)
            proven = module.DebridFinding(HASH, "A", "x", each, 1000.0, 1000.0, proven_by="before")
            again = module.seen_again(proven, module.DebridFinding(HASH, "A", "x", each, then, then))
            yield again.proven_by, again.looks
        yield module.at_once(module.DebridFinding(HASH, "A", "x", each, 1.0, 1.0)).proven_by
    yield module.at_once(module.DebridFinding(HASH, "A", "x", fault.DEAD, 1.0, 1.0, proven_by="seen")).proven_by
    # Looked at three times within an hour: only the pause between the first and the last of them proves it.
    looked = module.DebridFinding(HASH, "A", "x", fault.VANISHED, 1000.0, 2900.0, looks=1)
    yield module.seen_again(looked, module.DebridFinding(HASH, "A", "x", fault.VANISHED, 2950.0, 2950.0)).proven
    early = module.DebridFinding(HASH, "A", "x", fault.VANISHED, 4000.0, 1000.0, looks=1)
    yield module.seen_again(early, module.DebridFinding(HASH, "A", "x", fault.VANISHED, 5000.0, 5000.0)).proven
    for trial in (
        (0.0, 600.0, 300.0),
        (0.0, 599.0, 300.0),
        (0.0, 600.0, 0.0),
        (0.0, 600.0, 601.0),
        (100.0, 700.0, 50.0),
    ):
        yield module.LinkTrial(*trial).convicts()
    for good, parked in ((True, None), (False, None), (True, 50.0), (True, 150.0)):
        yield bool(module.account_doubts(Standing("jane", 1.0, good, parked_until=parked), 100.0))


def _turns(module) -> Iterator[object]:
    """Whose turn it is."""
    fault = verdicts.Fault

    def finding(proven="yes", each=fault.DEAD, size=0, added=0.0):
        return verdicts.DebridFinding(HASH, "A", "x", each, 1.0, 1.0, proven_by=proven, size=size, added=added)

    entry = module.RetryEntry
    for retry in (
        (),
        (entry(HASH, "x", "", 1, 50.0),),
        (entry(HASH, "x", "", 1, 150.0),),
        (entry(HASH, "x", "", 3, 50.0, given_up=True),),
    ):
        yield len(module.in_turn([finding()], retry, 100.0)), len(module.in_turn([finding(proven="")], retry, 100.0))
    day = 86_400.0
    for each in (
        {}, {"each": fault.MAGNET_ERROR, "size": 1, "added": 1.0}, {"size": 1 << 30, "added": 1.0},
        {"size": 1, "added": 30 * day - 5},
        {"size": 1, "added": 1.0}, {"size": (100 << 20) + 1, "added": 1.0}, {"size": 1, "added": 27 * day}, {"added": 1.0},
    ):  # fmt: skip
        yield module.priority_of(finding(**each), 30 * day)
    for known in (None, entry(HASH, "x", "", 1, 5.0), entry(HASH, "x", "", 2, 5.0, told=True)):
        yield module.after_failure(known, HASH, "x", "why", 100.0, 10.0, 3)
        yield module.parked(known, HASH, "x", "full", 200.0)
    for refused, most, accepted in ((5, 5, 0), (6, 5, 0), (6, 5, 6), (7, 5, 6)):
        yield module.is_wave(refused, most, accepted)


GUARDED = {mount_guard: _mount_said, verdicts: _verdicts, turns: _turns}


def mutants(module) -> Iterator[tuple[str, types.ModuleType]]:
    """The module with one guard after another taken out: an `if`, a doubt that is yielded, one side of an `and`."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    for node in list(ast.walk(tree)):
        for what, take_out, put_back in _changes(node):
            take_out()
            mutant = types.ModuleType(module.__name__)
            code = compile(ast.fix_missing_locations(tree), "mutant", "exec")
            with pytest.MonkeyPatch.context() as patch:
                patch.setitem(sys.modules, module.__name__, mutant)  # dataclasses look their module up
                exec(code, mutant.__dict__)  # noqa: S102  our own source, but for the guard
            yield what, mutant
            put_back()


def _changes(node):
    if isinstance(node, ast.If):
        test = node.test
        yield (
            f"if {ast.unparse(test)}",
            lambda: setattr(node, "test", ast.Constant(value=False)),
            lambda: setattr(node, "test", test),
        )
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield):
        value = node.value
        yield (
            f"{ast.unparse(value)}",
            lambda: setattr(node, "value", ast.Constant(value=None)),
            lambda: setattr(node, "value", value),
        )
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        values = node.values
        for left_out in values:
            rest = [ast.Constant(value=True), *(each for each in values if each is not left_out)]
            yield (
                f"{ast.unparse(left_out)} of {ast.unparse(node)}",
                lambda rest=rest: setattr(node, "values", rest),
                lambda: setattr(node, "values", values),
            )


@pytest.mark.parametrize("module", GUARDED, ids=lambda module: module.__name__.rpartition(".")[2])
def test_no_guard_can_be_taken_out_unnoticed(module):
    decide = GUARDED[module]
    right = repr(list(decide(module)))

    survivors = [guard for guard, mutant in mutants(module) if _decides(decide, mutant) == right]

    assert survivors == []


def _decides(decide, mutant) -> str:
    try:
        return repr(list(decide(mutant)))
    except Exception as error:  # noqa: BLE001  a mutant that cannot go on has not gone unnoticed
        return repr(error)
