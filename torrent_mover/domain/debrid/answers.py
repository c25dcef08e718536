"""What an answer of a debrid service means, whatever the service and its code: one class for each way to go on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class AnswerClass(Enum):
    """How to go on after an answer. Each service has a table of its own from its codes to these."""

    GOOD = "good"  # what was asked for
    PAUSE = "pause"  # too many requests: the limiter closes; counts against no torrent
    FULL = "full"  # all slots are taken: adds wait
    PARK = "park"  # the traffic is used up: checks and adds stop until it is there again
    STOP = "stop"  # the account may not be used: expired, locked, wrong token
    AGAIN = "again"  # no true answer: asked again later
    DEAD_LINK = "dead link"  # the file behind a link is not there: a candidate, no proof
    GONE = "gone"  # the account has no such entry
    REFUSED = "refused"  # final for this torrent
    DONE = "done"  # it was so already: read again
    OURS = "ours"  # we asked wrongly: that operation stops


@dataclass(frozen=True, slots=True)
class HeardAnswer:
    """A request of an account has ended after `seconds`. `call` names what was asked, without ids: `GET torrents/info`."""

    account: str
    call: str
    answer: AnswerClass
    seconds: float
