"""Surroundings that are not as one would wish: locales that are not UTF-8, as environments for a child process."""

from __future__ import annotations

import subprocess
from pathlib import Path

PLAIN_C = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
"""Where Python is kept from helping itself."""

LATIN_1 = "en_US.ISO-8859-1"


def environment(name: str, folder: Path) -> dict[str, str]:
    """For LATIN_1, which is made in `folder` (localedef, of the Debian package locales), or for `C`."""
    if name == "C":
        return PLAIN_C
    place = folder / "locales" / LATIN_1
    place.parent.mkdir(exist_ok=True)
    subprocess.run(["localedef", "-i", "en_US", "-f", "ISO-8859-1", str(place)], check=True, capture_output=True)
    return {"LOCPATH": str(place.parent), "LC_ALL": LATIN_1}
