"""Fixes that a run with a screen offers: a line of the config, and trust in a host key never seen before."""

from __future__ import annotations

from pathlib import Path

from torrent_mover.adapters.config.editing import can_be_edited, set_value
from torrent_mover.adapters.ssh.keyscan import host_keys, trust
from torrent_mover.bootstrap.servers import ssh_target
from torrent_mover.domain.errors import HostKeyUnknown, MoverError, PathNotSeen
from torrent_mover.duties.moving.settings import Settings
from torrent_mover.engine.preflight.examination import Offer
from torrent_mover.ports.ssh import SshTarget


def offer(settings: Settings, config: Path, error: MoverError) -> Offer | None:
    """What would mend the trouble; None where only a person can. `config` is the file that the settings come from."""
    if isinstance(error, PathNotSeen) and error.setting and can_be_edited(config):
        section, key, value = error.setting
        return Offer(
            f"write into {config}, [{section}]: {key} = {value}",
            lambda: set_value(config, section, key, value, add=key == "path_map"),
        )
    if isinstance(error, HostKeyUnknown) and error.shown:
        servers = (settings.source_server, settings.destination_server)
        targets = [ssh_target(server, settings) for server in servers if server]
        target = next((each for each in targets if each.label == error.address and not each.proxy_jump), None)
        if target is not None:
            return Offer(f"trust {error.shown} of {error.address} from now on", lambda: _trust(target, error.shown))
    return None


def _trust(target: SshTarget, shown: str) -> None:
    """Remember the key that a person has compared: it, and no other one that the server may show by now."""
    key = next((each for each in host_keys(target) if each.print in shown.split()), None)
    if key is None:
        raise HostKeyUnknown(
            f"{target.label} shows another key now than {shown}.",
            kept="No key was remembered.",
            remedy="Check again (c), and compare the new fingerprint with the server's owner.",
            server=target.host,
        )
    trust(target, [key])
