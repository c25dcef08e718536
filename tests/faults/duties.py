"""What all duties were put through, as their tests note it: the totals and the sections of docs/reliability.md about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from tests.faults import tiers
from tests.faults.ledger import SERVERS, Entry
from tests.faults.tables import table

MOVES, TIERS, HEALTH, DEBRID, ARRS, SERVE = "moves", "tiers", "health", "debrid", "arrs", "serve"
LONG_RUN = "a long run"

HEADINGS = {
    MOVES: "Moves, beside the rows above",
    TIERS: "Tiers, beside kills",
    HEALTH: "Health",
    DEBRID: "Debrid",
    ARRS: "Handing over to the Arrs",
    SERVE: "serve, all duties in one process",
}

SURVIVED = {
    MOVES: "the next runs end the move: every byte is right at the destination, and the source went with its certificate alone",
    TIERS: "the torrent seeds from a whole copy, nothing is removed without a certificate, and a later round ends what was begun",
    HEALTH: (
        "after the process is there again and has looked: an action is done exactly once or is as if it had never begun, a "
        "release is blocked once, searches are wished for once, every byte of a torrent lies in its place or in the bin, "
        "nothing of others was touched, and an undo brings back what was there"
    ),
    DEBRID: (
        "after at most three further rounds the account holds exactly one whole entry with the same files as before, no healthy "
        "entry was removed, and no link was touched for what a mount or an answer did not say"
    ),
    ARRS: "the Arr is told exactly once, imports everything, and the data seeds on in its place; no silence counts as an answer",
    SERVE: "every duty goes on where it was after the next start, once, and the overview tells the truth meanwhile",
    LONG_RUN: "after each step no byte is lost, and at the end each is where the duties say, and nothing was done twice",
}
"""What "survived" means, for each duty whose faults tests note by `trying` or by the mark `fault`."""


def duty_of(entry: Entry) -> str:
    """Whose fault it was; what the tables of moves and of tiers count is theirs."""
    return entry.row if entry.row in SURVIVED else TIERS if entry.row == tiers.ROW else MOVES


def is_on_servers(entry: Entry) -> bool:
    """Whether real servers took part; tiers and moves name their versions, all others say so."""
    return entry.versions not in ("fakes", "fakes and doubles")


def totals(entries: Sequence[Entry], release: str) -> Iterator[tuple[str, ...]]:
    """For each duty, and for all: injected on real servers, on fakes and doubles, together, survived, into this release."""
    everything = [(duty, [each for each in entries if duty_of(each) == duty]) for duty in SURVIVED]
    for duty, group in [*everything, ("**all**", list(entries))]:
        real = sum(each.faults for each in group if is_on_servers(each))
        total = sum(each.faults for each in group)
        now = sum(each.faults for each in group if each.release == release)
        counts = (real, total - real, total, sum(each.survived for each in group), now)
        yield (duty, *(f"{count:,}" for count in counts))


def section(entries: Sequence[Entry], release: str) -> Iterator[str]:
    """A table for each duty. What was not injected into this release says into which it was."""
    for duty, heading in HEADINGS.items():
        kinds: dict[tuple[str, bool, str], list[Entry]] = defaultdict(list)
        for entry in entries:
            if entry.row == duty:
                kinds[entry.what, is_on_servers(entry), entry.release].append(entry)
        if not kinds:
            continue
        yield f"## {heading}"
        yield ""
        yield f"Survived: {SURVIVED[duty]}."
        yield ""
        yield from table(("fault", "where", "injected", "survived"), (_line(*kind, release) for kind in _sorted(kinds)))
        yield ""


def _sorted(kinds: dict[tuple[str, bool, str], list[Entry]]) -> Iterable[tuple[tuple[str, bool, str], list[Entry]]]:
    return sorted(kinds.items(), key=lambda kind: (not kind[0][1], kind[0][0]))


def _line(kind: tuple[str, bool, str], group: Sequence[Entry], release: str) -> tuple[str, ...]:
    what, real, tried = kind
    faults, survived = (sum(getattr(each, name) for each in group) for name in ("faults", "survived"))
    where = SERVERS if real else group[0].versions
    said = f"{survived:,}" if survived == faults else f"**{survived:,}**"
    return (what if tried == release else f"{what} (with {tried})", where, f"{faults:,}", said)
