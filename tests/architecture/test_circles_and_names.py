"""No module needs itself to be imported, and one public class name means one thing."""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import cache
from graphlib import CycleError, TopologicalSorter

from tests.architecture.calls import PACKAGE, sources

SPOKEN_TWICE: set[str] = set()
"""Public class names that two modules may have, each with its reason in a comment beside it."""


@cache
def imports() -> dict[str, set[str]]:
    """Module -> the package's modules that it imports anywhere, inside of functions and for types alone too."""
    names = {_dotted(path): tree for path, tree in sources()}
    found = {}
    for name, tree in names.items():
        wanted = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(PACKAGE.name):
                wanted |= {f"{node.module}.{one.name}" for one in node.names} | {node.module}
        found[name] = (wanted & names.keys()) - {name}
    return found


def _dotted(path: str) -> str:
    return f"{PACKAGE.name}.{path.removesuffix('.py').replace('/', '.')}"


def test_no_module_imports_itself_in_a_circle():
    try:
        tuple(TopologicalSorter(imports()).static_order())
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise AssertionError(f"a circle of imports: {circle}") from None


def test_the_graph_sees_imports_within_functions():
    assert f"{PACKAGE.name}.adapters.ssh.paramiko_transport" in imports()[f"{PACKAGE.name}.adapters.ssh.connect"]


def test_one_public_class_name_has_one_meaning():
    homes = defaultdict(list)
    for path, tree in sources():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(path)

    twice = {name: paths for name, paths in homes.items() if len(paths) > 1 and name not in SPOKEN_TWICE}
    assert twice == {}
