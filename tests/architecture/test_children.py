"""Every program that we start ends with us: there is one way to start one, and few exceptions."""

from __future__ import annotations

from tests.architecture.calls import calls

STARTS = {"subprocess.run", "subprocess.Popen", "subprocess.call", "subprocess.check_output", "os.fork", "os.system"}

EXCEPTIONS = {
    "adapters/process/orders.py": "a server that it starts has to stay",
    "tui/shell/program.py": "an editor, in the terminal of a person",
    "demo/process.py": "the servers of the throw-away world, which the kernel ties to us",
    "demo/programs.py": "asks a program for its version",
    "demo/small_disks.py": "mounts and unmounts the disks of the throw-away world, in a moment",
    "demo/ssh_server.py": "makes keys, and asks a program for its version",
}


def test_programs_are_started_by_the_tether_alone():
    found = {module for module, name, _ in calls() if name in STARTS}

    assert found == set(EXCEPTIONS)
