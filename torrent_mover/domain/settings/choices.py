"""The choices that what duties share depends on."""

from __future__ import annotations

from enum import Enum


class LinkExisting(Enum):
    """What is done with a file whose bytes the destination has already, in another torrent."""

    AUTO = "auto"
    COPY = "copy"
    OFF = "off"


class Unlock(Enum):
    """When a closed folder is opened before a transfer."""

    AUTO = "auto"
    ALWAYS = "always"
    OFF = "off"
