"""Every call and every request of a hand-over is the last one of its process, or goes wrong: the Arr is told once and imports."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import pytest

from tests.doubles.arr.house import EPISODES, arr_house
from tests.doubles.arr.server import Fault
from tests.engine.arr_story import ArrStory, Fuse, Killed, still_seeds
from tests.faults.ledger import long_form, trying
from tests.faults.points import dealt
from torrent_mover.adapters.arr.manager import ArrManager
from torrent_mover.domain.arrs.handover import ArrHandover, HandoverStep
from torrent_mover.domain.errors import MoverError
from torrent_mover.engine.arrs.desk import ArrWishes

WRONG = [fault for fault in Fault if fault not in (Fault.NONE, Fault.NO_NAME, Fault.HANG)]
PART = len(WRONG)
"""In `make test` these answers share the requests; in the long form each meets all of them."""
LOOKS = 6


def story_of(house: Any) -> ArrStory:
    house.library.command_polls = 2
    house.library.disks = ["/downloads"]
    return ArrStory(house, ArrWishes("", may_refresh=False))


def killed_at_every_call(
    tmp_path: Any, what: str, *, after: bool, prepare: Callable[[Any], Any], until: Any, check: Callable[..., None]
) -> None:
    number, blown = 0, True
    with trying("arrs", what) as tried:
        while blown:
            number += 1
            with arr_house(tmp_path / f"house {number}") as house:
                story, folder = story_of(house), prepare(house)
                story.fuse = Fuse(number, after)
                record = None
                for _ in range(2):
                    story.start()
                    with suppress(Killed):
                        story.tell(folder)
                        record = story.run(until)
                        break
                blown = story.fuse.blown
                if blown:
                    tried.injected()
                check(story, record, number)
    assert number > 20


@pytest.mark.parametrize("after", [False, True], ids=["before a call", "after a call"])
def test_killed_at_every_call_it_is_told_once(tmp_path, after):
    def check(story: ArrStory, record: ArrHandover, number: int) -> None:
        assert record.step is HandoverStep.IMPORTED
        assert len(story.scans) == 1, number
        assert still_seeds(story.house, 3)

    killed_at_every_call(
        tmp_path,
        "killed before and after each call of a hand-over",
        after=after,
        prepare=lambda house: house.pack(3),
        until=lambda record: record.step.ended,
        check=check,
    )


@pytest.mark.parametrize("after", [False, True], ids=["before a call", "after a call"])
def test_killed_at_every_call_a_scan_that_brought_nothing_is_not_sent_again_at_once(tmp_path, after):
    def refusing(house: Any) -> Any:
        house.library.runs_at_once = True
        house.library.refuses = {EPISODES[0]: "Sample"}
        return house.pack(2)

    def check(story: ArrStory, record: ArrHandover, number: int) -> None:
        assert record.trouble.startswith("TM-E162 tv has imported 1 of 2")
        assert len(story.scans) == 1, number
        assert still_seeds(story.house, 2)

    killed_at_every_call(
        tmp_path,
        "killed before and after each call, while the Arr refuses a file",
        after=after,
        prepare=refusing,
        until=lambda record: record.tries == 1,
        check=check,
    )


@pytest.mark.thorough
@pytest.mark.parametrize("fault", WRONG, ids=lambda fault: fault.value)
def test_a_request_that_is_answered_wrongly_is_no_answer_and_the_arr_is_told_once(tmp_path, fault):
    with trying("arrs", f"each request of a hand-over is answered by: {fault.value}") as tried:
        for at in dealt(WRONG.index(fault), PART):
            with arr_house(tmp_path / f"house {at}") as house, closing(house.manager):
                story, folder, double = story_of(house), house.pack(3), house.double
                double.fault = lambda _path, at=at, double=double: fault if len(double.requests) == at else Fault.NONE
                story.start()
                story.tell(folder)
                looks_until_met(story, at)
                if len(double.requests) < at:
                    break
                tried.injected()
                del double.fault
                # An Arr that refused the key is asked again by the next process alone.
                with closing(ArrManager("tv", house.settings(), house.clock.wait, house.clock.monotonic)) as anew:
                    house.manager = anew
                    story.start()
                    with suppress(MoverError):
                        story.tell(folder)
                    assert story.run().step is HandoverStep.IMPORTED, at
                assert len(story.scans) == 1, at
                assert still_seeds(house, 3)
    assert tried.faults > (5 if long_form() else -1)


def looks_until_met(story: ArrStory, at: int) -> None:
    """Look until that request was made, or the hand-over has ended, or waits for the next process."""
    for _ in range(LOOKS):
        story.look()
        record = story.record()
        if record.step.ended or len(story.house.double.requests) >= at:
            return
        story.house.clock.advance(max(record.next_at - story.house.clock.now(), 0.0))
