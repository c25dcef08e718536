"""What was measured: rows, the table on the terminal, JSON for programs, Markdown for people."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Final

_COLUMNS: Final = ("case", "ours", "peer", "ratio", "bar", "moonshot", "verdict")


class Sense(Enum):
    """Whether more or less of the figure is better."""

    AT_LEAST = ">="
    AT_MOST = "<="


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure is held against."""

    sense: Sense
    bar: float
    moonshot: float
    unit: str = ""

    def verdict(self, figure: float) -> str:
        """Which of the two marks the figure reaches."""
        if self._reaches(figure, self.moonshot):
            return "moonshot"
        return "met" if self._reaches(figure, self.bar) else "BELOW"

    def text(self, mark: float) -> str:
        """A mark as the table shows it."""
        return f"{self.sense.value} {mark:g}{self.unit}"

    def _reaches(self, figure: float, mark: float) -> bool:
        return figure >= mark if self.sense is Sense.AT_LEAST else figure <= mark


def at_least(bar: float, moonshot: float) -> Bar:
    """A ratio of rates."""
    return Bar(Sense.AT_LEAST, bar, moonshot)


def at_most(bar: float, moonshot: float, unit: str = "") -> Bar:
    """A figure that should be small."""
    return Bar(Sense.AT_MOST, bar, moonshot, unit)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `ratio` is the figure that the bar judges: a ratio of rates, or the figure itself."""

    case: str
    ours: str
    peer: str
    ratio: float | None
    bar: str
    moonshot: str
    verdict: str
    note: str = ""

    @classmethod
    def judged(cls, case: str, ours: str, peer: str, figure: float, bar: Bar, note: str = "") -> Row:
        """A row whose figure was measured."""
        marks = (bar.text(bar.bar), bar.text(bar.moonshot))
        return cls(case, ours, peer, round(figure, 3), *marks, bar.verdict(figure), note)

    @classmethod
    def unmeasured(cls, case: str, peer: str, bar: Bar, why: str) -> Row:
        """A row that this machine cannot measure."""
        return cls(case, "", peer, None, bar.text(bar.bar), bar.text(bar.moonshot), "not measured", why)

    def cells(self) -> tuple[str, ...]:
        """As the table shows it, in the order of its columns."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return (self.case, self.ours, self.peer, ratio, self.bar, self.moonshot, self.verdict)


def table(rows: Sequence[Row]) -> str:
    """The table in plain text."""
    lines = [_COLUMNS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_COLUMNS))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    notes = [f"  {row.case}: {row.note}" for row in rows if row.note]
    return "\n".join([*shown, "", *notes])


def merge(path: Path, rows: Iterable[Row], cases: Sequence[str]) -> list[Row]:
    """These rows, and those of earlier runs for the cases that were not measured now, in the order of `cases`."""
    fresh = list(rows)
    measured = {row.case for row in fresh}
    kept = []
    if path.exists():
        kept = [Row(**row) for row in json.loads(path.read_text())["rows"] if row["case"] not in measured]
    order = {case: place for place, case in enumerate(cases)}
    return sorted([*kept, *fresh], key=lambda row: order.get(row.case, len(order)))


def write(folder: Path, rows: Sequence[Row], how: Sequence[str]) -> None:
    """Write benchmarks.json and benchmarks.md."""
    said = {"machine": machine(), "rows": [asdict(row) for row in rows]}
    (folder / "benchmarks.json").write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n")
    lines = ["# Benchmarks", "", "Written by `make bench`; the figures are also in `benchmarks.json`.", ""]
    lines += ["## The machine", "", *(f"- {line}" for line in machine()), ""]
    lines += ["## The table", "", _markdown(_COLUMNS), _markdown(["---"] * len(_COLUMNS))]
    lines += [_markdown(row.cells()) for row in rows]
    notes = [f"- **{row.case}** ({row.peer or 'alone'}): {row.note}" for row in rows if row.note]
    lines += ["", *(["## Notes", "", *notes, ""] if notes else []), "## How it was measured", "", *how]
    (folder / "benchmarks.md").write_text("\n".join([*lines, ""]))


def machine() -> list[str]:
    """What a reader must know of the machine; nothing that names it."""
    model = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    ssh = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=False).stderr.strip()
    return [
        f"{os.cpu_count()} cores ({model[1] if model else platform.machine()}),"
        f" {int(memory[1]) >> 20 if memory else 0} GiB of memory",
        f"Linux {platform.release().split('-')[0]}, Python {platform.python_version()}, {ssh}",
    ]


def _markdown(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
