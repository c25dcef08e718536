"""Writes every file that is made from the code: template, reference pages, completions, man page. With --check: only compares."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.completions import PROGRAM, bash, fish, man, zsh  # noqa: E402 - the path comes first
from scripts.errors_page import errors_page  # noqa: E402
from torrent_mover.bootstrap.sections import SCHEMA  # noqa: E402
from torrent_mover.domain.settings.text import reference_markdown, template  # noqa: E402
from torrent_mover.tui.shell.keymap import keys_page  # noqa: E402

MADE = {
    "config.ini.template": lambda: template(SCHEMA),
    "docs/config.md": lambda: reference_markdown(SCHEMA),
    "docs/errors.md": errors_page,
    "docs/keys.md": keys_page,
    f"packaging/completions/{PROGRAM}.bash": bash,
    f"packaging/completions/_{PROGRAM}": zsh,
    f"packaging/completions/{PROGRAM}.fish": fish,
    f"packaging/man/{PROGRAM}.1": man,
}


def main() -> int:
    """Exit code 1 with --check where a file is not what the code says."""
    stale = {name: text for name, make in MADE.items() if not _holds(ROOT / name, text := make())}
    if "--check" in sys.argv[1:]:
        sys.stderr.writelines(f"{name} is stale. Run: make template\n" for name in stale)
        return int(bool(stale))
    for name, text in stale.items():
        (ROOT / name).write_text(text, encoding="utf-8")
    return 0


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
