"""Where tiers have put torrents of theirs, for those who look for them elsewhere: read from the journal alone."""

from __future__ import annotations

from collections.abc import Iterator

from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.locking import DUTY
from torrent_mover.duties.tiering.tier_journal import KeptTierJournal


def placed(journal: SqliteJournal, torrent: InfoHash) -> Iterator[LocalPath]:
    """The save path, as we see it, of each proven copy of a torrent on the disks of any tier, this config's or not."""
    for tier in journal.sections(DUTY):
        for copy in KeptTierJournal(journal.documents(DUTY, tier)).copies():
            if copy.torrent == torrent and copy.counts and copy.proof is not None:
                yield copy.proof.save_path
