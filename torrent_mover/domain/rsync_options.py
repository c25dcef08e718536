"""Which of the user's rsync_options are taken over, and why the others are not. Names: rsync(1), versions 3.1 to 3.5."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.text import clause


@dataclass(frozen=True, slots=True)
class OptionLeftOut:
    """An option that is not handed to rsync, and the reason, as the end of a sentence."""

    option: str
    reason: str

    def __str__(self) -> str:
        return f"rsync_options: {self.option} is left out: {clause(self.reason)}."


@dataclass(frozen=True, slots=True)
class RsyncOptions:
    """The options to hand over, in the user's order, and those that are not. What we do anyway is in neither."""

    accepted: tuple[str, ...] = ()
    left_out: tuple[OptionLeftOut, ...] = ()


def sift(words: Sequence[str]) -> RsyncOptions:
    """Sort the words of rsync_options. An option that is on no list is left out."""
    accepted: list[str] = []
    left_out: dict[str, OptionLeftOut] = {}
    for name, value in _options(words):
        reason = _refusal(name, value)
        if reason is None:
            if name not in _OURS:
                accepted.append(name if value is None else f"{name}={value}")
        else:
            shown = name if value is None else f"{name}={value}"
            left_out[name] = OptionLeftOut(shown, reason)
    return RsyncOptions(tuple(accepted), tuple(left_out.values()))


def _refusal(name: str, value: str | None) -> str | None:
    """Why it cannot be taken over; None where it can, or is done anyway."""
    if name in _OURS and value is None:
        return None
    pattern = _ACCEPTED.get(name)
    if pattern is not None:
        return None if re.fullmatch(pattern, value or "") else "its value is not one that is known to be safe"
    for names, reason in _REASONS:
        if name in names:
            return reason
    if name.startswith(_DELETING):
        return "it deletes files; torrent_mover removes only what was proven to have arrived"
    if not name.startswith("-"):
        return "it is no option; what is moved is set elsewhere"
    return "it is not on the list of options that are known to be safe here"


def _options(words: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Each option with its value, bundles taken apart, short names written long where they have a long name."""
    rest = iter(words)
    for word in rest:
        if word.startswith("--") and word != "--":
            name, equals, value = word.partition("=")
            name = _LONG.get(name, name)
            if not equals and name in _LONG_WITH_VALUE:
                yield name, next(rest, "")
            else:
                yield name, value if equals else None
        elif word.startswith("-") and len(word) > 1 and word != "--":
            yield from _bundle(word[1:], rest)
        else:
            yield word, None


def _bundle(letters: str, rest: Iterator[str]) -> Iterator[tuple[str, str | None]]:
    for position, letter in enumerate(letters):
        name = f"-{letter}"
        if name in _SHORT_WITH_VALUE:
            glued = letters[position + 1 :]
            yield _LONG.get(name, name), glued.removeprefix("=") or next(rest, "")
            return
        yield _LONG.get(name, name), None


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NUMBER: Final = r"\d+(\.\d+)?[KMGTPkmgtp]?(i?[Bb])?"
_NAME: Final = r"[a-z0-9]+"
_PROGRAM: Final = r"[\w./~+@=:-]+( [\w./~+@=:-]+)*"  # no character that a shell would act upon

_ACCEPTED: Final[dict[str, str]] = {
    "--bwlimit": _NUMBER,
    "--block-size": _NUMBER,
    "--max-alloc": _NUMBER,
    "--rsync-path": _PROGRAM,
    "--compress": "",
    "--compress-level": r"-?\d+",
    "--compress-choice": _NAME,
    "--skip-compress": r"[\w/*.\[\]-]+",
    "--sparse": "",
    "--fsync": "",
    "--open-noatime": "",
    "--ipv4": "",
    "--ipv6": "",
}
"""What may be handed over, with the form of its value ("": it takes none)."""

_OURS: Final = _names(
    "--archive --recursive --relative --dirs --partial --inplace --protect-args --secluded-args --ignore-times --from0"
    " --no-inc-recursive --no-i-r --no-human-readable --no-h --no-links --no-l --no-perms --no-p --no-owner --no-o --no-group"
    " --no-g --no-devices --no-specials --no-D --no-times --no-t --no-hard-links --no-H --no-compress --no-z --no-motd"
)
"""What is done, or left undone, in every call; no word about it."""

_LONG: Final[dict[str, str]] = {
    "-a": "--archive",
    "-r": "--recursive",
    "-R": "--relative",
    "-d": "--dirs",
    "-s": "--protect-args",
    "-I": "--ignore-times",
    "-0": "--from0",
    "-B": "--block-size",
    "-z": "--compress",
    "-S": "--sparse",
    "-4": "--ipv4",
    "-6": "--ipv6",
    "--zc": "--compress-choice",
    "--zl": "--compress-level",
}

_SHORT_WITH_VALUE: Final = frozenset({"-B", "-e", "-f", "-M", "-T", "-@"})
_LONG_WITH_VALUE: Final = _names(
    "--bwlimit --block-size --max-alloc --rsync-path --compress-level --compress-choice --skip-compress --rsh --timeout"
    " --contimeout --exclude --include --exclude-from --include-from --filter --files-from --partial-dir --temp-dir --backup-dir"
    " --suffix --max-size --min-size --max-delete --modify-window --chmod --chown --usermap --groupmap --info --debug --out-format"
    " --log-file --log-file-format --password-file --port --address --sockopts --iconv --checksum-choice --checksum-seed"
    " --compare-dest --copy-dest --link-dest --write-batch --read-batch --only-write-batch --protocol --remote-option --outbuf"
    " --stop-after --stop-at --time-limit --early-input --copy-as"
)

_DELETING: Final = ("--del", "--remove-", "--force", "--max-delete", "--prune")

_REASONS: Final[tuple[tuple[frozenset[str], str], ...]] = tuple(
    (_names(names), reason)
    for names, reason in (
        (
            "-h --human-readable",
            "it rounds the figures that progress is counted from",
        ),
        (
            "-P --progress --info --out-format --log-format -i --itemize-changes -v --verbose -q --quiet --stats --debug --outbuf"
            " --msgs2stderr --no-msgs2stderr --stderr -8 --8-bit-output --list-only --log-file --log-file-format",
            "the output is asked for in the form that progress is counted from, and --partial is always on",
        ),
        (
            "--append --append-verify",
            "it trusts what lies at the target; resuming compares it, and sends only what differs",
        ),
        (
            "--old-args --old-d --old-dirs --trust-sender --no-protect-args --no-s --no-secluded-args",
            "with it a file's name could run commands or leave the folder",
        ),
        ("-e --rsh", "how ssh is called follows from the server's section of the config"),
        (
            "-M --remote-option --copy-as --early-input --write-batch --only-write-batch --read-batch",
            "it runs or writes other things",
        ),
        ("--files-from", "the files come from the torrent itself"),
        (
            "-H --hard-links -l --links -k --copy-dirlinks -K --keep-dirlinks -L --copy-links --copy-unsafe-links --safe-links"
            " --munge-links --copy-devices --write-devices -D --devices --specials",
            "only plain files are written, never through a link; what a link at the source points to is copied",
        ),
        (
            "-p --perms -E --executability -o --owner -g --group -A --acls -X --xattrs --chmod --chown --usermap --groupmap"
            " --numeric-ids --fake-super --super -t --times -O --omit-dir-times -J --omit-link-times -U --atimes -N --crtimes",
            "modes and owners are not taken from the source: see chown_user and chown_group",
        ),
        (
            "-c --checksum --checksum-choice --cc --checksum-seed -W --whole-file --no-whole-file --no-W --size-only"
            " --modify-window -@ -y --fuzzy",
            "what is compared, and how, is chosen for each file; every piece is proven by its hash afterwards",
        ),
        (
            "-n --dry-run -u --update --existing --ignore-existing --ignore-non-existing --exclude --include --exclude-from"
            " --include-from --filter -f -F -C --cvs-exclude --max-size --min-size -x --one-file-system -m --ignore-missing-args"
            " --stop-after --stop-at --time-limit --compare-dest --copy-dest --link-dest --no-recursive --no-r --no-relative"
            " --no-R",
            "it would leave files of the torrent out",
        ),
        (
            "-b --backup --backup-dir --suffix -T --temp-dir --partial-dir --delay-updates --no-partial --no-inplace --preallocate",
            "files are written in place, in a folder of the move's own, so that nothing has to be sent twice",
        ),
        ("--timeout --contimeout", "rsync_timeout sets it"),
    )
)
