"""What tells of a run lies on a full disk, or cannot be begun: the run moves all the same, says it once, and its code stays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.command import ROOT

pytestmark = pytest.mark.servers

KIB = 1024


@pytest.fixture
def full(house):
    """A disk of one MiB without a free byte. Mounting takes root."""
    place = house.world.root / "full"
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], check=True)
    with pytest.raises(OSError, match="No space left"), (place / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4 * KIB))
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.parametrize(
    ("key", "file", "words"),
    [
        ("event_log", "events.jsonl", "events.jsonl cannot be written: No space left on device"),
        ("metrics_file", "x.prom", "x.prom cannot be written: No space left on device"),
        ("log_dir", "logs", "torrent_mover.log cannot be written: No space left on device"),
    ],
)
def test_a_file_that_tells_of_a_run_is_on_a_full_disk(house, full, key, file, words):
    made = house.seed("Show", 300 * KIB)
    files = made.files()
    house.config = {"General": {key: str(full / file)}}
    result = house.move().ended(0)

    assert len([line for line in result.lines("WARN") if words in line]) == 1, result.text
    assert result.err == ""
    house.assert_moved(made, files)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("event_log", "/proc/nowhere/events.jsonl"),
        ("metrics_file", "/proc/nowhere/x.prom"),
        ("log_dir", "/proc/nowhere"),
    ],
)
def test_what_cannot_even_be_begun_is_told_once_and_the_run_goes_on(house, key, value):
    made = house.seed("Show", 300 * KIB)
    files = made.files()
    house.config = {"General": {key: value}}
    result = house.move().ended(0)

    assert len(result.lines("the run goes on|The run goes on")) == 1, result.text
    house.assert_moved(made, files)


@pytest.mark.parametrize(("arguments", "code"), [(["--simple"], 0), (["history", "--csv"], 1), (["--dry-run"], 1)])
def test_output_that_goes_to_a_full_disk_ends_no_run_and_shows_no_traceback(house, arguments, code):
    made = house.seed("Show", 300 * KIB)
    files = made.files()
    config = house.world.write_config()
    house.home.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(house.home), "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    with Path("/dev/full").open("w") as nowhere:
        done = subprocess.run(
            [sys.executable, "-m", "torrent_mover", "--config", config, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=nowhere,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
            timeout=120,
            check=False,
        )

    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.returncode == code, done.stderr
    if arguments == ["--simple"]:
        house.assert_moved(made, files)
    else:
        assert "The output cannot be written: No space left on device" in done.stderr
