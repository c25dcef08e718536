"""Where room is scarce: names first, causes before places, one limit for all to see, labels apart, notes above the log."""

from __future__ import annotations

import pytest

from tests.fakes.snapshots import GIB, MIB, a_move, a_server, a_snapshot, a_wire
from tests.tui.pilot import MIDDLE, NARROW, WIDE, drive, dump, settle, until_shown
from tests.tui.scenes import DENIED, SCENES
from torrent_mover.domain.report.events import MoveFailed
from torrent_mover.domain.report.snapshot import MoveStatus, Phase
from torrent_mover.tui.moving.health_panels import short_lines
from torrent_mover.tui.moving.move_table import move_row
from torrent_mover.tui.moving.net_graph import GraphView, time_axis
from torrent_mover.tui.shell.header import header_line
from torrent_mover.tui.shell.ink import Line, cells
from torrent_mover.tui.shell.log_pane import LogPane
from torrent_mover.tui.shell.look import GraphKind, Look

LONG = "Big.Buck.Bunny.2008.2160p.BluRay.REMUX"


def text(ink: Line) -> str:
    return "".join(span.text for span in ink)


def test_a_name_has_its_room_before_the_bar_has():
    assert LONG in text(move_row(a_move(name=LONG), 76, Look()))


def test_a_failure_says_its_cause_in_a_narrow_row():
    row = text(move_row(a_move(name=LONG, standing=MoveStatus.FAILED, trouble=DENIED), 76, Look()))

    assert "failed: Permission denied" in row


def test_a_row_that_waits_says_why_before_how_large_it_is():
    row = text(move_row(a_move(standing=MoveStatus.QUEUED, why="must seed 12:04 more"), 76, Look()))

    assert "must seed 12:04 more" in row


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize(
    ("limit", "said"), [(5.0 * MIB, "limit 5.0 MiB/s"), (0, "bandwidth paused"), (45.3 * MIB, "limit 45.3 MiB/s")]
)
def test_the_limit_stands_in_the_header_at_every_width(width: int, limit: float, said: str):
    crowded = a_snapshot(
        incoming=a_wire(limit=limit),
        mode="rsync_upload",
        test_run=True,
        source="a-long-name-of-a-seedbox",
        next_scan_in=9.0,
    )

    assert said in text(header_line(crowded, width, Look()))


@pytest.mark.parametrize(("size", "most"), [(MIDDLE, MIDDLE[0] // 3), (WIDE, WIDE[0] // 3)])
def test_the_graphs_take_a_third_at_most(size: tuple[int, int], most: int):
    async def act(app, _pilot) -> None:
        assert 0 < app.screen.query_one("#right").size.width <= most

    drive(SCENES["running"](), act, size)


def test_a_small_terminal_shows_which_screens_there_are():
    async def act(app, _pilot) -> None:
        assert "[1 Dashboard] 2 Queue  3 History  4 Servers  5 Log" in dump(app)

    drive(SCENES["running"](), act, NARROW)


@pytest.mark.parametrize("kind", list(GraphKind))
@pytest.mark.parametrize("zoom", [1, 5, 30])
def test_the_labels_of_the_time_axis_stand_apart_and_count_in_one_unit(kind: GraphKind, zoom: int):
    for width in range(12, 140):
        axis = text(time_axis(GraphView(zoom, 1.0), Look(graph=kind), width)).replace(" s", "s").replace(" min", "m")
        ages = [word for word in axis.split() if word != "now"]
        assert len(axis) <= width
        assert axis.split()[-1:] == ["now"] or width < 10
        values = [int(word.strip("-sm")) for word in ages]
        assert values == sorted(values, reverse=True)
        assert all(word.startswith("-") and word.count("-") == 1 for word in ages)


def test_a_note_does_not_cover_the_log():
    control = SCENES["running"]()

    async def act(app, pilot) -> None:
        control.emit(MoveFailed(0.0, control.current.moves[0].id, LONG, DENIED.what, "", "", "TM-E121"))
        shown = await until_shown(app, pilot, "Permission denied as user media")
        log = app.screen.query_one(LogPane).region
        assert "Failed TM-E121" not in "\n".join(shown.splitlines()[log.y : log.bottom])

    for size in (NARROW, MIDDLE):
        drive(control, act, size)


def test_the_footer_has_no_key_that_does_nothing_now():
    control = SCENES["running"]()
    control.show(moves=tuple(move for move in control.current.moves if not move.trouble))

    async def act(app, pilot) -> None:
        foot = dump(app).splitlines()[-1]
        assert "space pause" in foot
        assert "r retry" not in foot
        assert "e problem" not in foot
        control.show(phase=Phase.ENDED, exit_code=0)
        app.tick()
        await settle(pilot)
        foot = dump(app).splitlines()[-1]
        assert not any(word in foot for word in ("pause", "skip", "cancel", "bandwidth", "rescan"))

    drive(control, act, WIDE)


def test_what_is_wrong_with_a_server_is_not_cut_where_it_is_narrow():
    snapshot = a_snapshot(servers=(a_server(connections=5, reconnects=12, free=GIB),))

    assert any("reconn. 12" in text(one) for one in short_lines(snapshot, Look(), 37))


@pytest.mark.parametrize("width", range(12))
def test_a_panel_that_is_hidden_or_narrow_breaks_nothing(width: int):
    quiet = a_snapshot(servers=(a_server(connections=0, connections_limit=0),))

    assert {sum(map(cells, (span.text for span in one))) for one in short_lines(quiet, Look(), width)} == {width}
