"""Where the package calls what, found in its syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "torrent_mover"


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Every module: path below the package, syntax tree."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield str(path.relative_to(PACKAGE)), ast.parse(path.read_text(encoding="utf-8"), str(path))


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Every call: module, dotted name of what is called as it is written (`self._client.remove`), the node."""
    for module, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield module, ast.unparse(node.func), node


def modules_that_call(name: str) -> list[str]:
    """Modules that call something whose last name is this one, once for each call."""
    return [module for module, called, _ in calls() if called.rpartition(".")[2] == name]
