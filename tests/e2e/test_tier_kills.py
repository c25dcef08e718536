"""kill -9 of the worker, of the client, of both, at writes to the journal: a round later the client looks at a verified copy."""

from __future__ import annotations

import random
import signal

import pytest

from tests.e2e.tier_house import MIB, TierHouse
from tests.faults.ledger import each_nth, long_form
from tests.faults.tiers import VICTIMS, noted
from tests.servers import eventually
from torrent_mover.domain.errors import ExitCode

pytestmark = [pytest.mark.servers, pytest.mark.timeout(900)]

COPY = (
    "enqueue",
    "save_copy seen",
    "save_copy reserved",
    "save_copy copying",
    "save_copy read_back",
    "save_copy placed",
    "save_copy proven",
    "add_history copied",
    "save_copy told",
    "drop",
)
EVICTION = (
    "save_eviction chosen",
    "save_eviction looked",
    "save_eviction leaving",
    "save_eviction checking",
    "save_eviction seeding",
    "save_certificate",
    "save_eviction certified",
    "save_eviction aside",
    "save_eviction freed",
    "save_copy evicted",
    "add_history evicted",
    "forget_eviction",
)
"""What a copy and its eviction write down, in this order."""
ALWAYS = ("after save_eviction freed", "client")
SEED = 8
SAMPLE = 2
"""Kills in evictions that each client gets in `make test`; the same number of kills in copies comes before them."""
PATIENCE = 30


def _all(steps):
    return [(f"{moment} {step}", victim) for step in steps for moment in ("before", "after") for victim in VICTIMS]


def kills_for(client: int) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Pairs of a kill in the copy and one in the eviction after it, for the nth client: all, or a seeded sample."""
    copies, evictions = _all(COPY), _all(EVICTION)
    chance = random.Random(SEED + client)  # noqa: S311  a sample, nothing secret
    if long_form():
        # Each kill meets each client; with FAULTS_LONG=2, one client of either kind: every second one each version.
        everything = [(copies[number % len(copies)], eviction) for number, eviction in enumerate(evictions)]
        return everything[client % each_nth() :: each_nth()]
    victim = ("worker", "both")[client % 2]
    chosen = chance.choice([each for each in evictions if each[1] == victim])
    return list(zip(chance.sample(copies, SAMPLE), [ALWAYS, chosen], strict=True))


class Kills:
    """Kills, and what is looked at after each."""

    def __init__(self, tier: TierHouse) -> None:
        self.tier = tier

    def during_a_round(self, step: str, victim: str) -> None:
        """A round in which they die; then the client, where it died, is started again."""
        pids = {"worker": "self", "client": str(self.tier.server.pid), "both": f"{self.tier.server.pid} self"}
        with self.tier.start(module="tests.e2e.fused_tiers", FUSE_STEP=step, FUSE_KILLS=pids[victim]) as command:
            result = command.end()
        assert self.tier.server.running == (victim == "worker"), f"{step} was not reached:\n{result.text}"
        assert (result.code == -signal.SIGKILL) == (victim != "client"), result.text
        self.tier.server.start()

    def whole(self, root, below: str, content: bytes) -> bool:
        path = root / below
        return path.is_file() and path.read_bytes() == content


@pytest.mark.parametrize("number", range(len(kills_for(3))))
def test_a_round_after_a_kill_the_client_looks_at_a_verified_copy(tier, number):
    pair = kills_for(tier.number)[number]
    client = f"{type(tier.server).__name__.removesuffix('Server')} {tier.server.version}"
    with noted(client, pair, SEED, 5 * MIB) as tally:
        killed_twice(tier, *pair)
        tally.evictions = 1
        tally.unproven = int(not tier.journal_rows("certificates"))


def killed_twice(tier: TierHouse, in_copy: tuple[str, str], in_eviction: tuple[str, str]) -> None:
    """A torrent is copied and evicted by rounds of which two are cut short; it has left the SSD then."""
    kills = Kills(tier)
    made = tier.seed("A film", 5 * MIB)
    content = made.content.read_bytes()
    tier.configure()

    kills.during_a_round(*in_copy)
    assert kills.whole(tier.ssd, "A film", content)
    assert tier.where(made) == tier.ssd
    eventually(lambda: tier.seeds(made), PATIENCE)
    kills.during_a_round(*in_eviction)
    assert content in [*tier.files(tier.ssd).values(), *tier.files(tier.hdd).values()]
    tier.run()

    place = tier.where(made)
    assert place in (tier.ssd, tier.hdd / "films")
    assert kills.whole(place, "A film", content)
    eventually(lambda: tier.seeds(made), PATIENCE)

    for _ in range(2):
        if tier.where(made) != tier.ssd:
            break
        tier.run()
    tier.run().ended(ExitCode.DONE).says("Nothing to do")
    assert tier.where(made) == tier.hdd / "films"
    assert tier.files(tier.hdd) == {"films/A film": content}
    assert tier.files(tier.ssd) == {}
    assert tier.ends(made).count("evicted") <= 1
    assert tier.ends(made).count("copied") <= 1
    assert tier.journal_rows("evictions") == []
