"""Writes what is made from the settings schema: config.ini.template and docs/config.md. With --check: only compares."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from torrent_mover.domain.settings_text import reference_markdown, template  # noqa: E402 - the path comes first

MADE = {"config.ini.template": template, "docs/config.md": reference_markdown}


def main() -> int:
    """Exit code 1 with --check where a file is not what the schema says."""
    stale = [name for name, make in MADE.items() if not _holds(ROOT / name, make())]
    for name in stale:
        if "--check" in sys.argv[1:]:
            sys.stderr.write(f"{name} is stale. Run: python scripts/make_template.py\n")
        else:
            (ROOT / name).write_text(MADE[name](), encoding="utf-8")
    return int(bool(stale) and "--check" in sys.argv[1:])


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
