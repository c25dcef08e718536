"""The command line: arguments to a command to an exit code. Imports nothing heavy: --help answers at once, whatever runs."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from torrent_mover import __version__
from torrent_mover.adapters.process import surroundings
from torrent_mover.commands import init_arguments
from torrent_mover.domain.errors import ConfigError, ExitCode, MoverError, UsageError

_WITH_JSON: Final = ("doctor", "history", "log", "status")


def parser() -> argparse.ArgumentParser:
    """The arguments. Completions, the man page and the tests are made from it."""
    top = argparse.ArgumentParser(
        prog="torrent-mover",
        description="Moves completed torrents from one qBittorrent to another over SSH. It verifies every piece at the destination,"
        " starts seeding there, and only then removes the torrent at the source.",
        epilog="Exit codes: 0 done or nothing to do, 1 some torrents failed or did not fit, 2 usage or config error, 3 a server"
        " cannot be reached or refuses the login, 4 pre-flight check failed, 5 another run is active, 130 and 143 interrupted.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"torrent_mover {__version__}")
    top.add_argument(
        "--config",
        metavar="PATH",
        help="config file, .ini or .toml (default: $TORRENT_MOVER_CONFIG, ./config.ini,"
        " $XDG_CONFIG_HOME/torrent-mover/config.ini, /etc/torrent-mover/config.ini)",
    )
    _add_run_options(top)
    _add_screen_options(top)
    _add_other_actions(top)
    _add_sorting_options(top)
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    demo = commands.add_parser(
        "demo", help="try it here: starts two test servers, moves some torrents, removes all again", allow_abbrev=False
    )
    demo.add_argument(
        "--simple", action="store_true", help="print plain lines instead of the dashboard", default=argparse.SUPPRESS
    )
    demo.add_argument("--keep", action="store_true", help="keep the demo's folder")
    demo.add_argument(
        "--serve",
        action="store_true",
        help="only start the test servers and show their logins, so that you can try init on them; Ctrl-C stops them",
    )
    doctor = commands.add_parser(
        "doctor", help="run all checks and say how to fix each problem; works during a run too", allow_abbrev=False
    )
    doctor.add_argument(
        "--notify", action="store_true", help="also send a test notification (notify_command, notify_urls)"
    )
    doctor.add_argument("--json", action="store_true", help="print JSON", default=argparse.SUPPRESS)
    init = commands.add_parser(
        "init", help="ask some questions, test each answer, write config.ini", allow_abbrev=False
    )
    init_arguments.add_arguments(init)
    _add_journal_commands(commands)
    return top


def _add_journal_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    status = commands.add_parser(
        "status", help="show what is moving, waiting or failed, and how to fix it", allow_abbrev=False
    )
    history = commands.add_parser("history", help="list moved and failed torrents, newest first", allow_abbrev=False)
    history.add_argument("--csv", action="store_true", help="print CSV with a header line")
    history.add_argument(
        "--last", metavar="N", type=_positive, default=1000, help="show at most N torrents (default 1000)"
    )
    log = commands.add_parser("log", help="show everything about one torrent", allow_abbrev=False)
    log.add_argument("hash", metavar="HASH", help="the torrent's infohash, or the first characters of it")
    for each in (status, history, log):
        each.add_argument("--json", action="store_true", help="print JSON", default=argparse.SUPPRESS)


def _add_run_options(top: argparse.ArgumentParser) -> None:
    run = top.add_argument_group("moving")
    only = run.add_mutually_exclusive_group()
    only.add_argument(
        "--dry-run", action="store_true", help="show what would move, what would not, and why; change nothing"
    )
    only.add_argument(
        "--test-run", action="store_true", help="do everything except the last step: keep the torrents at the source"
    )
    run.add_argument("--json", action="store_true", help="print JSON; for --dry-run, doctor, status, history and log")
    run.add_argument(
        "--parallel-jobs", metavar="N", type=_positive, default=4, help="move N torrents at the same time (default 4)"
    )
    run.add_argument(
        "--watch",
        metavar="INTERVAL",
        nargs="?",
        type=_interval,
        const=300.0,
        help="keep running and look for new torrents every INTERVAL (default 5m); a changed config is read again",
    )
    run.add_argument(
        "--again", action="store_true", help="also move torrents that an earlier run moved here from the destination"
    )
    run.add_argument("--simple", action="store_true", help="print plain lines instead of the dashboard")
    run.add_argument("-q", "--quiet", action="store_true", help="print only failures")
    run.add_argument("--debug", action="store_true", help="write debug messages to the log file")


def _add_screen_options(top: argparse.ArgumentParser) -> None:
    screen = top.add_argument_group("dashboard")
    screen.add_argument(
        "--refresh", metavar="N", type=_refresh, default=2.0, help="screen refreshes per second, 1 to 4 (default 2)"
    )
    screen.add_argument(
        "--graph", choices=("auto", "braille", "block", "ascii"), default="auto", help="characters for the graphs"
    )
    screen.add_argument(
        "--theme",
        choices=("auto", "dark", "light", "contrast", "mono"),
        default="auto",
        help="colours of the dashboard",
    )
    screen.add_argument("--no-mouse", action="store_true", help="do not use the mouse; the terminal keeps it")


def _add_other_actions(top: argparse.ArgumentParser) -> None:
    other = top.add_argument_group("other actions").add_mutually_exclusive_group()
    other.add_argument(
        "--check-config", action="store_true", help="show every problem in the config; connect to nothing"
    )
    other.add_argument(
        "-c",
        "--categorize",
        action="store_true",
        help="sort torrents at the destination into categories, by hand or by tracker rules",
    )
    other.add_argument("-l", "--list-rules", action="store_true", help="list the tracker rules")
    other.add_argument(
        "-a",
        "--add-rule",
        nargs=2,
        metavar=("DOMAIN", "CATEGORY"),
        help="add a tracker rule (category Ignore: never move or sort these torrents)",
    )
    other.add_argument("-d", "--delete-rule", metavar="DOMAIN", help="delete a tracker rule")
    other.add_argument(
        "--test-permissions",
        action="store_true",
        help="check that the destination folder is writable",
    )
    other.add_argument(
        "--clear-recheck-failure",
        metavar="HASH",
        help="try a torrent again after its recheck failed (the first characters of HASH are enough)",
    )
    other.add_argument(
        "--clear-corruption",
        metavar="HASH",
        help="try a torrent again after its source was damaged; pieces verified so far are sent again",
    )


def _add_sorting_options(top: argparse.ArgumentParser) -> None:
    sorting = top.add_argument_group("with --categorize")
    sorting.add_argument(
        "--category",
        metavar="CAT",
        help="sort torrents of this category (default: category_to_move; '': torrents without a category)",
    )
    sorting.add_argument(
        "-nr", "--no-rules", action="store_true", help="do not apply the tracker rules; ignored torrents stay ignored"
    )
    sorting.add_argument(
        "--apply",
        action="store_true",
        help="apply the rules without asking and print the changes (with --dry-run: only print them); needs no terminal",
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def _interval(text: str) -> float:
    from torrent_mover.domain.quantities import parse_duration

    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error
    if seconds < 10:  # noqa: PLR2004  servers want to be left alone between two looks
        raise argparse.ArgumentTypeError(f"{text!r} is too short: use at least 10s")
    return seconds


def _refresh(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 1 <= number <= 4:  # noqa: PLR2004  faster only costs: the eye and the wire
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 4")
    return number


def _command(arguments: argparse.Namespace) -> str:
    """The name of its module in commands/."""
    if arguments.command:
        return str(arguments.command)
    asked = {
        "check_config": arguments.check_config,
        "test_permissions": arguments.test_permissions,
        "categorize": arguments.categorize,
        "rules": arguments.list_rules or arguments.add_rule or arguments.delete_rule,
        "clear": arguments.clear_recheck_failure or arguments.clear_corruption,
        "dry_run": arguments.dry_run,
    }
    return next((name for name, wanted in asked.items() if wanted), "run")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code. Errors are told on standard error, without a traceback.

    Without `argv` the process is ours: its arguments, its standard streams and its encoding.
    """
    try:
        if argv is None:
            surroundings.prepare()
        code = _perform(argv)
    except MoverError as error:
        with suppress(OSError):
            tell(error)
        code = int(error.exit_code)
    except OSError as error:
        trouble = surroundings.settle()
        if trouble is None or trouble.errno != error.errno:
            raise  # no fault of the output
        return _unsaid(trouble, int(ExitCode.DONE))
    except KeyboardInterrupt:
        code = int(ExitCode.INTERRUPTED)
    except SystemExit as ended:  # argparse's way, after --help or a wrong option
        raise SystemExit(_unsaid(surroundings.settle(), int(ended.code or 0))) from None
    return _unsaid(surroundings.settle(), code)


def _perform(argv: Sequence[str] | None) -> int:
    top = parser()
    arguments = top.parse_args(argv)
    if arguments.json and not (arguments.dry_run or arguments.command in _WITH_JSON):
        top.error("--json works only with --dry-run, doctor, status, history and log")
    if not arguments.categorize and (arguments.category is not None or arguments.no_rules or arguments.apply):
        top.error("--category, --no-rules and --apply work only with --categorize")
    if arguments.watch and _command(arguments) != "run":
        top.error("--watch works only with a run: --test-run, --parallel-jobs, --simple, -q")
    if arguments.again and _command(arguments) not in ("run", "dry_run"):
        top.error("--again works only with a run or --dry-run")
    surroundings.raise_open_files()
    module = importlib.import_module(f"torrent_mover.commands.{_command(arguments)}")
    return int(module.execute(arguments))


def _unsaid(trouble: OSError | None, code: int) -> int:
    """The exit code, where the output may not have been taken. Whoever only stopped reading (`| head`) has what they wanted."""
    if trouble is None or isinstance(trouble, BrokenPipeError):
        return code
    with suppress(OSError):
        tell(
            UsageError(
                f"The output cannot be written: {trouble.strerror}.",
                remedy="Free some space there: df -h",
            )
        )
    return code or int(ExitCode.SOME_FAILED)


def tell(error: MoverError) -> None:
    """An error on standard error: what, the problems, what was kept, the remedy."""
    print(f"torrent-mover: {error.what} [{error.code}]", file=sys.stderr)
    if isinstance(error, ConfigError):
        for problem in error.problems:
            print(f"  {problem}", file=sys.stderr)
    for line in (error.kept, error.remedy):
        if line:
            print(f"  {line}", file=sys.stderr)
