"""Where the package calls what, found in its syntax trees."""

from __future__ import annotations

import ast
import gc
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "torrent_mover"


@cache
def sources() -> list[tuple[str, ast.Module]]:
    """Every module: path below the package, syntax tree."""
    # The trees stay: a collector of garbage that walks through them again and again takes three times as long as they do.
    gc.disable()
    paths = sorted(PACKAGE.rglob("*.py"))
    trees = [ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in paths]
    gc.freeze()
    gc.enable()
    return [(str(path.relative_to(PACKAGE)), tree) for path, tree in zip(paths, trees, strict=True)]


@cache
def calls() -> list[tuple[str, str, ast.Call]]:
    """Every call: module, dotted name of what is called as it is written (`self._client.remove`), the node."""
    nodes = [(module, node) for module, tree in sources() for node in ast.walk(tree)]
    return [(module, ast.unparse(node.func), node) for module, node in nodes if isinstance(node, ast.Call)]


def modules_that_call(name: str) -> list[str]:
    """Modules that call something whose last name is this one, once for each call."""
    return [module for module, called, _ in calls() if called.rpartition(".")[2] == name]
