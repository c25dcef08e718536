"""Consent to an SSH host key that was never seen before: shown, compared by a person, then remembered."""

from __future__ import annotations

from collections.abc import Collection

from torrent_mover.adapters.ssh.keyscan import host_keys, trust
from torrent_mover.commands.init_prompts import Console
from torrent_mover.domain.text import safe
from torrent_mover.ports.ssh import SshTarget


def accept_host_key(target: SshTarget, console: Console, given: Collection[str]) -> bool:
    """Whether somebody trusts the server, by one of the `given` fingerprints or by answering; its keys are then remembered.

    Raises MissingProgram, Unreachable, NotWritable.
    """
    keys = host_keys(target)
    trusted = [key for key in keys if key.print in given]
    if not trusted and console.asks:
        console.say(f"   {safe(target.label)} was never seen before. It shows:")
        for key in keys:
            console.say(f"     {key.print}  {key.kind}")
        if console.agree("Compare with what the server's owner says. Trust it from now on?", default=False):
            trusted = list(keys)
    if trusted:
        file = trust(target, trusted)
        console.good(f"{', '.join(key.kind for key in trusted)} of {target.label} remembered in {file}")
    return bool(trusted)
