"""A password or key that no log, traceback or repr ever shows."""

from __future__ import annotations

from collections.abc import Callable


class Secret:
    """Text that only `reveal` gives out.

    It is a text, or a reader that fetches it when it is first needed (a password file, a command); the reader may
    raise NoLogin. Two secrets are equal when they hold the same text or the same reader.
    """

    __slots__ = ("_source",)
    _source: str | Callable[[], str]

    def __init__(self, source: str | Callable[[], str]) -> None:
        object.__setattr__(self, "_source", source)

    def reveal(self) -> str:
        """The text itself: hand it to the one who asks for a password, to nobody else."""
        return self._source if isinstance(self._source, str) else self._source()

    @property
    def is_literal(self) -> bool:
        """Whether the text is held here (it stood in the config), instead of being fetched on demand."""
        return isinstance(self._source, str)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a secret does not change: {name}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._source == other._source

    def __hash__(self) -> int:
        return hash(self._source)

    def __repr__(self) -> str:
        return "Secret('•••')"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret is not pickled")
