"""An error about a server carries its name, and nobody looks for one in a message's text."""

from __future__ import annotations

import ast

from tests.architecture.calls import calls, sources
from torrent_mover.domain import errors
from torrent_mover.domain.arrs import errors as arr_errors

ABOUT_A_SERVER = (errors.ServerError, errors.ConnectionLost, errors.Stalled)
TEXTS = {"what", "kept", "remedy"}
SEARCHES = {"startswith", "endswith", "find", "index", "partition", "rpartition", "split", "rsplit", "count"}
UNKNOWING = {"adapters/ssh/sftp_protocol.py", "adapters/ssh/sftp.py"}
"""They read replies without knowing whose; the pool that lent the session says it (`SessionPool.control`)."""


def about_a_server(name: str) -> bool:
    made = getattr(errors, name, None) or getattr(arr_errors, name, None)
    return isinstance(made, type) and issubclass(made, ABOUT_A_SERVER)


def test_every_such_error_of_an_adapter_says_which():
    outside = ("adapters/clients/", "adapters/ssh/", "adapters/rsync/", "adapters/arr/")
    made = [(module, name, node) for module, name, node in calls() if module.startswith(outside)]
    made = [each for each in made if about_a_server(each[1])]
    assert len(made) > 30
    silent = [
        f"{module}:{node.lineno} {name}"
        for module, name, node in made
        if "server" not in {word.arg for word in node.keywords}
    ]
    assert [each for each in silent if each.partition(":")[0] not in UNKNOWING] == []
    assert len(silent) == 2


def test_nobody_searches_the_text_of_an_error():
    found = []
    for module, tree in sources():
        for node in ast.walk(tree):
            looked_in = []
            if isinstance(node, ast.Compare) and any(isinstance(op, ast.In | ast.NotIn) for op in node.ops):
                looked_in = node.comparators
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SEARCHES:
                looked_in = [node.func.value]
            found += [
                f"{module}:{node.lineno}"
                for each in looked_in
                if isinstance(each, ast.Attribute) and each.attr in TEXTS
            ]
    assert found == []
