"""The project's papers, and what stands in them: blocks of commands, of config, links, files, commands in running text."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.command import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])

_BLOCK = re.compile(r"(?:^<!-- not run: ([^>]*) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`(torrent-mover [^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block. `reason` says why it cannot be run in a test; empty: it is run."""

    page: Path
    language: str
    text: str
    reason: str


def blocks(page: Path, language: str) -> list[Block]:
    """The blocks of that language, in order."""
    found = [Block(page, kind, text, reason) for reason, kind, text in _BLOCK.findall(page.read_text(encoding="utf-8"))]
    return [block for block in found if block.language == language]


def name_of(page: Path) -> str:
    """Where it lies in the project."""
    return str(page.relative_to(ROOT))


def our_commands(page: Path) -> list[list[str]]:
    """The arguments of each `torrent-mover` command on a page, in blocks that are not run and in running text."""
    text = page.read_text(encoding="utf-8")
    lines = [line for block in blocks(page, "sh") if block.reason for line in block.text.splitlines()]
    lines += [line.replace("*/30 * * * *", "") for block in blocks(page, "") for line in block.text.splitlines()]
    found = []
    for line in (*lines, *_SPAN.findall(text)):
        command = re.sub(r"\s+#.*", "", line.strip())
        command = re.split(r"\|\||&&|\|", command)[0]
        words = shlex.split(command) if re.match(r"(?:\S*/)?torrent-mover(?: |$)", command) else []
        if words:
            found.append(words[1:])
    return found


def links(page: Path) -> list[tuple[Path, str]]:
    """Links within the project: the file, and the heading there (blank: none)."""
    targets = re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", page.read_text(encoding="utf-8"))
    return [(page.parent / file if file else page, heading) for file, heading in targets if "://" not in file]


def headings(page: Path) -> set[str]:
    """Its headings, as links name them."""
    found = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def named_files(page: Path) -> list[str]:
    """Files of the project that a page names, from its root or from that of the package: `engine/check_*.py`, `tests/faults/`."""
    spans = re.findall(r"`[^`\n]+`", page.read_text(encoding="utf-8"))
    words = [word for span in spans for word in re.findall(r"(?<![\w./~$-])\w+/[\w./{},*-]*[\w/*]", span)]
    folders = {path.name for root in (ROOT, ROOT / "torrent_mover") for path in root.iterdir() if path.is_dir()}
    return [word for word in words if word.partition("/")[0] in folders]
