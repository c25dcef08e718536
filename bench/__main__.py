"""`python -m bench`: run the cases, print the table, write docs/benchmarks.md and docs/benchmarks.json."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Final

from bench.arena import Arena
from bench.cases import ORDER, everything
from bench.peers import CIPHER
from bench.report import Row, merge, table, write

_DOCS: Final = Path(__file__).resolve().parent.parent / "docs"

_HOW: Final = (
    "`make bench` (all cases), `python -m bench --only large --only far` (some), `--quick` (small payloads, nothing written).",
    "",
    "- A real sshd on loopback (internal-sftp), key login, all data in memory-backed files, targets empty before every run.",
    "- A virtual machine gives memory that was freed back to its host within seconds, and the run that touches it again pays for"
    " that; so one page of each MiB is held from the start, and the rest stays here for all.",
    "- Without a line in between, both ends share the cores: what is hashed (0.54 s of CPU for a GiB of SHA-1) is then missing"
    " for the rest. Read `large`, `relay` and `rsync` so; from 50 ms on, and on any real network, the line is the limit.",
    "- Ours is the whole engine in a process of its own: connecting, copying, hashing every piece, the ledger, syncing and"
    " journaling every five seconds. The clock runs from the first connection to the last line of the journal; Python's start"
    " is not counted, that of the peers' programs is.",
    "- Ours and peers take turns in the same run; figures are medians of three rounds unless a note says otherwise. Other work"
    " on the machine moves the absolute figures: read the ratios.",
    f"- Peers use the cipher {CIPHER}, as ours does. rclone runs with `--multi-thread-streams=4 --transfers=4"
    " --sftp-disable-hashcheck` and its own cipher choice; tar and cat are piped through `ssh`; rsync runs with `-a`.",
    "- Settings are the defaults (max_concurrent_ssh_sessions 8, max_concurrent_downloads 4) unless a note says otherwise:"
    " `sessions` and `downloads` there are these two, and max_concurrent_file_transfers is as large as `downloads`.",
    "- Dashboard and planning are whole runs on fake clients; the dashboard is drawn headless, and the second in which it"
    " opens counts for neither.",
    "- Slow lines are two TUN devices, one in a network namespace, and a process that delays, queues (1000 packets) and drops"
    " packets between them, below unchanged TCP (cubic): what `tc netem` does, also where the kernel has no netem.",
)


def main() -> int:
    """Run what was asked for."""
    cases = everything()
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(cases), help="run this case (may be repeated)")
    parser.add_argument("--quick", action="store_true", help="small payloads; writes nothing")
    asked = parser.parse_args()
    rows: list[Row] = []
    failed = []
    with Arena() as arena:
        for name, measure in cases.items():
            if asked.only and name not in asked.only:
                continue
            started = time.monotonic()
            print(f"{name} ...", end="", flush=True, file=sys.stderr)
            try:
                found = list(measure(arena, quick=asked.quick))
            except RuntimeError as error:  # one case that fails costs no other its figures
                failed.append(f"{name}: {error}")
                continue
            print(f" {time.monotonic() - started:.0f} s", file=sys.stderr)
            rows += found
            if not asked.quick:
                write(_DOCS, merge(_DOCS / "benchmarks.json", found, ORDER), _HOW)
    print(table(rows))
    print("\n".join(failed), file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
