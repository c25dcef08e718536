"""The API of the moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torrent_mover.domain.errors import UsageError
from torrent_mover.domain.quantities import parse_rate
from torrent_mover.domain.report.snapshot import HistoryView, MoveDetail, Snapshot
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.control import Control
from torrent_mover.web.endpoints import Ask, Done, Endpoint, order


@dataclass(frozen=True, slots=True)
class LimitOrder:
    """A limit for all moves together: 512K, 5M, off, pause; config: what the config says."""

    rate: str


@dataclass(frozen=True, slots=True)
class PlacesOrder:
    """How far up (negative) or down in the queue."""

    places: int


def endpoints(control: Control) -> Sequence[Endpoint]:
    """Over that control."""

    def on_all(name: str, summary: str) -> Endpoint:
        return Endpoint("POST", f"/moves/{name}", summary, order(lambda _ask: getattr(control, name)()), Done)

    def on_one(name: str, summary: str) -> Endpoint:
        def act(ask: Ask) -> None:
            getattr(control, name)(_known(control, ask.torrent))

        return Endpoint("POST", f"/moves/{{hash}}/{name}", summary, order(act), Done)

    def detail(ask: Ask) -> MoveDetail:
        found = control.detail(ask.torrent)
        if found is None:
            raise _unknown()
        return found

    return (
        Endpoint("GET", "/moves", "The picture of all moves.", lambda _ask: control.snapshot(), Snapshot),
        Endpoint("GET", "/moves/history", "Ended moves and past rates.", lambda _ask: control.history(), HistoryView),
        Endpoint("GET", "/moves/{hash}", "Files, pieces, stages and attempts of one move.", detail, MoveDetail),
        on_all("pause", "Pause all moves."),
        on_all("resume", "Let all moves go on."),
        on_all("rescan", "Look for torrents now."),
        on_all("check_again", "Run the checks again."),
        Endpoint(
            "POST", "/moves/limit", "Limit all moves together.", order(lambda ask: _limit(control, ask.body)), Done, LimitOrder
        ),
        on_one("pause", "Pause one move."),
        on_one("resume", "Let one move go on."),
        on_one("retry", "Try a torrent again now."),
        on_one("skip", "Leave a torrent for a later run."),
        on_one("cancel", "Leave a torrent, and remove what arrived. The source is untouched."),
        on_one("dismiss", "Mark its failure as handled."),
        Endpoint(
            "POST",
            "/moves/{hash}/reorder",
            "Move it up or down in the queue.",
            order(lambda ask: control.reorder(_known(control, ask.torrent), ask.body.places)),
            Done,
            PlacesOrder,
        ),
    )  # fmt: skip


def _limit(control: Control, wanted: LimitOrder) -> None:
    text = wanted.rate.strip()
    if text.casefold() == "config":
        control.limit(None)
        return
    try:
        limit = parse_rate(text)
    except ValueError as error:
        raise UsageError(
            f"{clause(error)}.", kept="The limit is as it was.", remedy="Write for example 5M, or off."
        ) from error
    control.limit(float("inf") if limit is None else float(limit))


def _known(control: Control, torrent: InfoHash) -> InfoHash:
    snapshot = control.snapshot()
    known = any(each.id == torrent for each in (*snapshot.moves,)) or any(
        each.id == torrent for each in snapshot.not_moved
    )
    history = () if known else control.history().entries
    if not known and all(entry.id != torrent for entry in history):
        raise _unknown()
    return torrent


def _unknown() -> UsageError:
    return UsageError("No move of this process is about that torrent.", kept="Nothing was changed.")
