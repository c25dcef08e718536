"""The command line: arguments to a command to an exit code. Imports nothing heavy: --help answers at once, whatever runs."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.machinery import PathFinder
from typing import Final

from torrent_mover import __version__
from torrent_mover.adapters.process import surroundings
from torrent_mover.commands import doctor_arguments, init_arguments, serve_arguments
from torrent_mover.commands.command_line import CommandParser
from torrent_mover.domain.errors import AlreadyRunning, ConfigError, ExitCode, MoverError, UsageError

_DUTIES: Final = {
    "tier": "tiering",
    "health": "health",
    "debrid": "debrid",
}
"""Commands of other duties than moving, and the folder of each in commands/."""

_PANELS: Final = tuple(f"{name}s" if name == "tier" else name for name in _DUTIES)
_WITH_ROUTES: Final = ("run", "dry_run", "move", "doctor", "test_permissions", "categorize")
_WITH_JSON: Final = ("arr", "doctor", "history", "journal", "log", "status", *_DUTIES)
_ORDERS: Final = ("pause", "resume", "retry", "skip", "limit")
"""Commands that one module does: commands/order.py."""

_JOURNAL_ACTIONS: Final = ("backup", "check", "forget-mounts", "purge", "recover", "vacuum")


def parser() -> argparse.ArgumentParser:
    """The arguments. Completions, the man page and the tests are made from it."""
    top: argparse.ArgumentParser = CommandParser(
        prog="torrent-mover",
        description="Without a command: moves completed torrents from one client (qBittorrent, rTorrent) to another over SSH. It"
        " verifies every piece at the destination, starts seeding there, and only then removes the torrent at the source."
        " Other duties: tier (an SSD in front of disks), health (downloads that are stuck), debrid (a library of links),"
        " serve (all of them). To begin: torrent-mover init.",
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
    top.set_defaults(duties=tuple(_DUTIES.values()))
    _add_run_options(top)
    _add_screen_options(top)
    _add_other_actions(top)
    _add_sorting_options(top)
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    demo = commands.add_parser(
        "demo", help="try it here: starts test servers, moves some torrents, removes all again", allow_abbrev=False
    )
    demo.add_argument(
        "what",
        metavar="WHAT",
        nargs="?",
        choices=_having("demo"),
        default="move",
        help=f"what to try: {', '.join(_having('demo'))} (default move)",
    )
    demo.add_argument(
        "--simple", action="store_true", help="print plain lines instead of the dashboard", default=argparse.SUPPRESS
    )
    demo.add_argument("--keep", action="store_true", help="keep the demo's folder")
    demo.add_argument(
        "--serve",
        action="store_true",
        help="serve all duties, each with its test servers, and show their page; Ctrl-C ends all of it",
    )
    demo.add_argument(
        "--servers",
        action="store_true",
        help="only start the test servers and show their logins, so that you can try init on them; Ctrl-C stops them",
    )
    doctor = commands.add_parser(
        "doctor", help="run all checks and say how to fix each problem; works during a run too", allow_abbrev=False
    )
    doctor_arguments.add_arguments(doctor, _positive)
    move = commands.add_parser(
        "move", help="move these torrents now, whatever their category, size and seeding time", allow_abbrev=False
    )
    move.add_argument(
        "hashes", metavar="HASH", nargs="+", help="infohash of a torrent, or its first characters (6 or more)"
    )
    for names, text in (
        (("--test-run",), "do everything except the last step: keep the torrents at the source"),
        (("--simple",), "print plain lines instead of the dashboard"),
        (("-q", "--quiet"), "print only failures"),
    ):
        move.add_argument(*names, action="store_true", help=text, default=argparse.SUPPRESS)
    move.add_argument("--route", metavar="NAME", action="append", help="only this route", default=argparse.SUPPRESS)
    _add_orders(commands)
    init = commands.add_parser(
        "init", help="ask some questions, test each answer, write config.ini", allow_abbrev=False
    )
    init_arguments.add_arguments(init)
    for folder in _DUTIES.values():
        module = importlib.import_module(f"torrent_mover.commands.{folder}.arguments")
        module.add_command(commands)
        if hasattr(module, "add_init"):
            module.add_init(init)
    words = _having("init")
    init.add_argument(
        "what", metavar="WHAT", nargs="?", choices=words, default="move", help=f"what to set up: {', '.join(words)}"
    )
    arr = commands.add_parser(
        "arr", help="show how Sonarr, Radarr and the like are, and what waits for them", allow_abbrev=False
    )
    one = arr.add_mutually_exclusive_group()
    one.add_argument("--explain", metavar="HASH", help="show what each Arr says of this torrent; changes nothing")
    one.add_argument("--scan", metavar="HASH", help="hand this torrent over to its Arrs now, and wait for the import")
    arr.add_argument("--json", action="store_true", help="print JSON", default=argparse.SUPPRESS)
    _add_journal_commands(commands)
    return top


def _having(module: str) -> tuple[str, ...]:
    """The mover, and the duties that have a module of this name in their folder."""
    return ("move", *(name for name, folder in _DUTIES.items() if _there(f"torrent_mover.commands.{folder}", module)))


def _there(package: str, module: str) -> bool:
    """Whether a package has that module. Asking for the module itself would import the package, at every start."""
    spec = importlib.util.find_spec(package)
    places = (spec and spec.submodule_search_locations) or ()
    return PathFinder.find_spec(f"{package}.{module}", places) is not None


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
    journal = commands.add_parser(
        "journal", help="back up, check, purge, vacuum or recover the journal", allow_abbrev=False
    )
    journal.add_argument(
        "action",
        metavar="ACTION",
        choices=_JOURNAL_ACTIONS,
        help="backup [FILE]: copy it, also during a run; check: read all of it; purge: delete old history and log lines;"
        " vacuum: give back free space; recover [FILE]: rescue what can be read of a damaged one;"
        " forget-mounts [FOLDER]: take the disk that the destination folders are on now for their own, or that this folder, which"
        " may be a tier's, is on",
    )
    journal.add_argument("file", metavar="FILE", nargs="?", help="where the copy goes, the damaged file, or the folder")
    journal.add_argument(
        "--older", metavar="AGE", type=_age, help="with purge: delete what is older than AGE (default 365d)"
    )
    journal.add_argument("--dry-run", action="store_true", help="with purge: only count", default=argparse.SUPPRESS)
    for each in (status, history, log, journal):
        each.add_argument("--json", action="store_true", help="print JSON", default=argparse.SUPPRESS)


def _add_orders(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    serve = commands.add_parser(
        "serve",
        help="do everything that the config says in one process, with a page to look at it; stays",
        allow_abbrev=False,
    )
    serve_arguments.add_arguments(serve, _interval)
    attach = commands.add_parser(
        "attach", help="show the dashboard of what runs; leaving it leaves that running", allow_abbrev=False
    )
    attach.add_argument(
        "duty", metavar="DUTY", nargs="?", help=f"begin with this one: overview, moves, {', '.join(_PANELS)}"
    )
    for name, text, needed in (
        ("pause", "pause the moves that run, or one torrent", False),
        ("resume", "let the moves that run go on, or one torrent", False),
        ("retry", "try a torrent again now, in what runs", True),
        ("skip", "leave a torrent for a later run, in what runs", True),
    ):
        order = commands.add_parser(name, help=text, allow_abbrev=False)
        order.add_argument(
            "hash",
            metavar="HASH",
            nargs=None if needed else "?",
            help="infohash of a torrent, or its first characters (6 or more)",
        )
    limit = commands.add_parser(
        "limit", help="limit the bandwidth of the moves that run, all together", allow_abbrev=False
    )
    limit.add_argument(
        "rate", metavar="RATE", type=_limit, help="500K, 5M (MiB a second); off: no limit; pause; config: as configured"
    )


def _add_run_options(top: argparse.ArgumentParser) -> None:
    run = top.add_argument_group("moving")
    only = run.add_mutually_exclusive_group()
    only.add_argument(
        "--dry-run", action="store_true", help="show what would move, what would not, and why; change nothing"
    )
    only.add_argument(
        "--test-run", action="store_true", help="do everything except the last step: keep the torrents at the source"
    )
    run.add_argument(
        "--json", action="store_true", help="print JSON; for --dry-run, arr, doctor, status, history, log and journal"
    )
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
    run.add_argument(
        "--route", metavar="NAME", action="append", help="only this route of the config; may be given more than once"
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


def _limit(text: str) -> float | None:
    from torrent_mover.domain.quantities import parse_rate

    if text.casefold() == "config":
        return None
    try:
        limit = parse_rate(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error
    return float("inf") if limit is None else float(limit)


def _age(text: str) -> float:
    from torrent_mover.domain.quantities import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error


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
    if arguments.command in _ORDERS:
        return "order"
    if arguments.command in _DUTIES:
        return f"{_DUTIES[arguments.command]}.{arguments.command}"
    if arguments.command == "init" and arguments.what in _DUTIES:
        return f"{_DUTIES[arguments.what]}.init"
    if arguments.command == "demo" and arguments.what in _DUTIES:
        return f"{_DUTIES[arguments.what]}.demo"
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
    code = _unsaid(surroundings.settle(), code)
    if argv is None:
        surroundings.end(code)
    return code


def _perform(argv: Sequence[str] | None) -> int:
    top = parser()
    arguments = top.parse_args(argv)
    if arguments.json and not (arguments.dry_run or arguments.command in _WITH_JSON):
        top.error("--json works only with --dry-run, arr, doctor, status, history, log and journal")
    if not arguments.categorize and (arguments.category is not None or arguments.no_rules or arguments.apply):
        top.error("--category, --no-rules and --apply work only with --categorize")
    if arguments.watch and _command(arguments) != "run":
        top.error("--watch works only with a run: --test-run, --parallel-jobs, --simple, -q")
    if arguments.route and _command(arguments) not in _WITH_ROUTES:
        top.error("--route works only with a run, --dry-run, move, doctor, --test-permissions and --categorize")
    if arguments.again and _command(arguments) not in ("run", "dry_run"):
        top.error("--again works only with a run or --dry-run")
    arguments.duties = tuple(_DUTIES.values())
    if "QBITRR_SETTINGS_CONSOLE_LEVEL" in os.environ:
        from torrent_mover.domain.settings.qbitrr import wants_debug

        arguments.debug = arguments.debug or wants_debug(os.environ)
    surroundings.raise_open_files()
    surroundings.collect_rarely()
    module = importlib.import_module(f"torrent_mover.commands.{_command(arguments)}")
    try:
        return int(module.execute(arguments))
    except AlreadyRunning as error:
        if not arguments.quiet or _stays(arguments) or not _by_timer(arguments):
            raise
        return int(error.exit_code)  # the run that goes on does what this one would have done


def _stays(arguments: argparse.Namespace) -> bool:
    """Whether it was begun as a service: that of one which is refused must be told."""
    return arguments.command == "serve" or any(
        getattr(arguments, each, None) for each in ("watch", "watch_tier", "stay")
    )


def _by_timer(arguments: argparse.Namespace) -> bool:
    """Whether a timer may have begun it: a run, a round, a look. Whatever else is refused was asked for once, and must be told."""
    if arguments.command in _DUTIES:
        module = importlib.import_module(f"torrent_mover.commands.{_DUTIES[arguments.command]}.arguments")
        return bool(module.by_timer(arguments))
    return _command(arguments) == "run"


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
