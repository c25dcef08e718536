"""A config and a journal of its own for each test, and the command run on them in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.jobs import OpenJobs
from torrent_mover.cli import main

CONFIG = """\
[SOURCE_CLIENT]
host = http://127.0.0.1
port = 9
username = somebody
password = kept-secret-1
[DESTINATION_CLIENT]
host = http://127.0.0.1
port = 10
username = somebody
password = kept-secret-2
[SOURCE_SERVER]
host = 127.0.0.1
username = somebody
password = kept-secret-3
[DESTINATION_PATHS]
destination_path = {folder}/library
[SETTINGS]
category_to_move = move-me
[General]
state_dir = {folder}/state
"""


@dataclass
class Told:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def data(self):
        """Standard output as JSON."""
        return json.loads(self.out)


@dataclass
class Desk:
    """`config` is the config file, `journal` the path of the journal that goes with it."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    config: Path = field(init=False)
    journal: Path = field(init=False)

    def __post_init__(self):
        self.config = self.folder / "config.ini"
        self.config.write_text(CONFIG.format(folder=self.folder))
        self.config.chmod(0o600)
        self.journal = self.folder / "state" / "journal.sqlite3"

    def run(self, *arguments) -> Told:
        """Run the command; argparse's own way of ending counts too."""
        try:
            code = main(["--config", str(self.config), *map(str, arguments)])
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = self.capsys.readouterr()
        return Told(code, said.out, said.err)

    def open(self) -> OpenJobs:
        """The journal, to fill; the caller closes it."""
        return OpenJobs(self.journal, FakeClock())


@pytest.fixture
def desk(tmp_path, capsys, monkeypatch):
    """A config, no journal yet, and a home without anything."""
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    return Desk(tmp_path, capsys)
