"""Runs the application of the tiers without a terminal, and reads its screen as text."""

from __future__ import annotations

from tests.tui.duty_case import DutyCase
from torrent_mover.tui.tiering.app import TierApp

CASE = DutyCase(TierApp)
drive, pictures, picture, session = CASE.drive, CASE.pictures, CASE.picture, CASE.session
