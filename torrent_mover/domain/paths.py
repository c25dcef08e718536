"""Paths by who sees them: a torrent client, an SSH server, this machine, or an Arr. Mixing them is a type error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

from torrent_mover.domain.errors import UnsafeTorrent
from torrent_mover.domain.text import clause

_MAX_COMPONENT = 255  # bytes; the limit of every common Linux file system


@dataclass(frozen=True, slots=True, order=True)
class RelativePath:
    """A path below some root that cannot leave it: no empty, `.` or `..` part, no slash or NUL, at most 255 bytes each.

    Bytes that are not UTF-8 travel as surrogate escapes. `RelativePath(())` is the root itself.
    """

    parts: tuple[str, ...]

    def __post_init__(self) -> None:
        for part in self.parts:
            reason = _refusal(part)
            if reason:
                raise UnsafeTorrent(
                    f"The path {'/'.join(self.parts)!r} is refused: {clause(reason)}.",
                    kept="Nothing was written.",
                    remedy="Rename the file in the source client, or move this torrent by hand.",
                )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Cut `a/b/c` at slashes. Raises UnsafeTorrent for anything that would not stay below the root."""
        return cls(tuple(text.split("/")))

    def __truediv__(self, other: str | RelativePath) -> RelativePath:
        if isinstance(other, RelativePath):
            return _of_good_parts(self.parts + other.parts)
        return RelativePath((*self.parts, other))

    @property
    def parent(self) -> RelativePath:
        """The folder that holds it; the root's parent is the root."""
        return _of_good_parts(self.parts[:-1])

    @property
    def name(self) -> str:
        """The last part; empty for the root."""
        return self.parts[-1] if self.parts else ""

    def __str__(self) -> str:
        return "/".join(self.parts)

    def __bytes__(self) -> bytes:
        return str(self).encode("utf-8", "surrogateescape")


ROOT = RelativePath(())


def _of_good_parts(parts: tuple[str, ...]) -> RelativePath:
    """A path of parts that were checked when they were first seen: joining tens of thousands of paths stays cheap."""
    path = object.__new__(RelativePath)
    object.__setattr__(path, "parts", parts)
    return path


def _refusal(part: str) -> str:
    if part in ("", ".", ".."):
        return f"it has the part {part!r}"
    if "/" in part or "\0" in part:
        return "a part holds a slash or a NUL"
    if len(part) <= _MAX_COMPONENT and part.isascii():
        return ""
    try:
        raw = part.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return "a part cannot be written as bytes"
    if len(raw) > _MAX_COMPONENT:
        return f"a part is longer than {_MAX_COMPONENT} bytes"
    return ""


@dataclass(frozen=True, slots=True, order=True)
class _AbsolutePath:
    """An absolute POSIX path, normalised lexically (`//`, `/.` and trailing slashes folded; `..` refused)."""

    text: str

    def __post_init__(self) -> None:
        if not self.text.startswith("/"):
            raise ValueError(f"not an absolute path: {self.text!r}")
        if "//" not in self.text and "/." not in self.text and not self.text.endswith("/"):
            return  # as nearly all are, of tens of thousands of torrents
        parts = [part for part in self.text.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise ValueError(f"'..' in a path: {self.text!r}")
        object.__setattr__(self, "text", "/" + "/".join(parts))

    def __str__(self) -> str:
        return self.text

    def __bytes__(self) -> bytes:
        return self.text.encode("utf-8", "surrogateescape")

    def __truediv__(self, other: str | RelativePath) -> Self:
        if isinstance(other, RelativePath) and other.parts and self.text != "/":
            return _of_good_text(type(self), f"{self.text}/{other}")
        return type(self)(f"{self.text}/{other}")

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(part for part in self.text.split("/") if part)

    @property
    def parent(self) -> Self:
        return type(self)("/" + "/".join(self.parts[:-1]))

    def is_within(self, other: Self) -> bool:
        """Whether this is `other` or below it."""
        return self.text == other.text or self.text.startswith(other.text.rstrip("/") + "/")

    def relative_to(self, root: Self) -> RelativePath:
        """The way from `root` to here. Raises ValueError where this is not below it."""
        if not self.is_within(root):
            raise ValueError(f"{self.text} is not below {root.text}")
        return RelativePath(self.parts[len(root.parts) :])


def _of_good_text(kind: type[PathT], text: str) -> PathT:
    """A path made of two that were checked when they were first seen."""
    path = object.__new__(kind)
    object.__setattr__(path, "text", text)
    return path


PathT = TypeVar("PathT", bound=_AbsolutePath)


@dataclass(frozen=True, slots=True, order=True)
class ClientPath(_AbsolutePath):
    """A path as a torrent client sees it, perhaps from inside a container."""


@dataclass(frozen=True, slots=True, order=True)
class HostPath(_AbsolutePath):
    """A path as an SSH login on a server sees it."""


@dataclass(frozen=True, slots=True, order=True)
class LocalPath(_AbsolutePath):
    """A path on this machine."""


@dataclass(frozen=True, slots=True, order=True)
class ArrPath(_AbsolutePath):
    """A path as a Sonarr, Radarr or one of their kin sees it, perhaps from inside a container."""


HostP = TypeVar("HostP", HostPath, LocalPath)


@dataclass(frozen=True, slots=True)
class PathMap(Generic[HostP]):
    """Translates between a client's view and ours (or SSH's): the longest prefix wins; without a pair, both are equal.

    `kind` is the type of the other side.
    """

    kind: type[HostP]
    pairs: tuple[tuple[ClientPath, HostP], ...] = ()

    def to_host(self, path: ClientPath) -> HostP:
        """Where a file that the client sees at `path` lies for us."""
        best = _longest([(pair, pair[0].parts) for pair in self.pairs if path.is_within(pair[0])])
        if best is None:
            return self.kind(path.text)
        return best[1] / path.relative_to(best[0]) if path != best[0] else best[1]

    def to_client(self, path: HostP) -> ClientPath:
        """Where the client sees what lies at `path` for us."""
        best = _longest([(pair, pair[1].parts) for pair in self.pairs if path.is_within(pair[1])])
        if best is None:
            return ClientPath(path.text)
        return best[0] / path.relative_to(best[1]) if path != best[1] else best[0]


def _longest(
    candidates: Sequence[tuple[tuple[ClientPath, HostP], tuple[str, ...]]],
) -> tuple[ClientPath, HostP] | None:
    return max(candidates, key=lambda candidate: len(candidate[1]))[0] if candidates else None
