"""Reads configs with the sections of this program: what commands call."""

from __future__ import annotations

from typing import Final

from torrent_mover.adapters.config.reading import ConfigReader
from torrent_mover.bootstrap.sections import SCHEMA

CONFIGS: Final = ConfigReader(SCHEMA)

load_all: Final = CONFIGS.load_all
load: Final = CONFIGS.load
examine_all: Final = CONFIGS.examine_all
examine: Final = CONFIGS.examine
check: Final = CONFIGS.check
load_environment: Final = CONFIGS.load_environment
load_own_places: Final = CONFIGS.load_own_places
