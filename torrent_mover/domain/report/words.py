"""What the words on screens and on the page mean, and what to do: for `?` in a terminal, and for the page, from one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

Words: TypeAlias = tuple[tuple[str, str], ...]
"""Each word as it is shown, and what it means."""

_BREAKER: Final = (
    "Breaker",
    "Whether a server is asked. closed: yes. open: it failed several times in a row (breaker_failures) and is not asked for a"
    " while (breaker_cooldown). half open: the next try decides. It closes by itself when the server answers;"
    " torrent-mover doctor says why it does not.",
)
_ROUND: Final = "One look at all torrents, with what is done after it."
_MODE: Final = (
    "Mode",
    "act: what is due is done. report: it is only told. Set mode in the config to change it.",
)
_STATES: Final = (
    ("restarting", "It failed, and begins again by itself in a few seconds. Nothing to do."),
    (
        "parked",
        "It failed too often and waits for you. Mend what is said beside it, then restart it or save the config.",
    ),
    ("stuck", "It gives no sign of life. Restart it; if that does not help, restart the process."),
    ("paused", "Somebody paused it. Nothing new begins until it is resumed."),
)

WORDS: Final[Mapping[str, Words]] = {
    "overview": (
        (
            "Loop",
            "The worker of a duty, one for each tier, [HEALTH], account and Arr: it looks, does what is due, and waits for its"
            " next look. If one fails, the others go on.",
        ),
        ("looking, waiting", "Both are well: it works, or it waits for its next look."),
        *_STATES,
        _MODE,
        ("Sign of life", "When the loop last showed that it runs. In a long look, minutes are normal."),
        _BREAKER,
        ("only reports", "Nothing is changed: mode = report."),
    ),
    "moves": (
        ("Route", "From which client to which, and for which category: main, or a [ROUTE name] of the config."),
        ("Left alone", "Not moved now, for the reason beside it. It is looked at again."),
        ("retry", "A try has failed; the next one begins by itself. Retry begins it now."),
        ("checking", "The destination client hashes all data itself before the source may let go."),
        _BREAKER,
        ("Watchdog", "Stops a transfer without progress (watchdog_timeout), and tries it again."),
    ),
    "tiers": (
        ("Round", _ROUND),
        ("idle", "Nothing to do until the next round."),
        ("Copy", "Every piece is hashed on the way and again from the disk. The torrent goes on seeding from the SSD."),
        (
            "Evict",
            "The torrent goes on seeding from its proven copy on a disk; then its files on the SSD are deleted.",
        ),
        (
            "low, high, critical",
            "Marks of free space. Below low, torrents leave the SSD until high is free. Below critical, young and busy ones"
            " leave too. On a disk, low is what copies leave free. (free_low, free_high, free_critical)",
        ),
        ("Frees", "What gets free on the SSD if it leaves. Files that are linked elsewhere free nothing."),
        ("Pin", "It stays on the SSD until it is unpinned."),
        ("hand-over", "An Arr is told where the files are now. It waits while the Arr does not answer."),
        ("silent", "The worker gives no sign of life: torrent-mover tier --healthcheck says more."),
        ("paused", _STATES[3][1]),
    ),
    "health": (
        ("Loop", "One [HEALTH name] of the config: it looks at one client again and again."),
        ("Findings", "A rule says that something is wrong, such as stalled: no byte arrives. Explain says which and why."),
        (
            "Lasted",
            "How long that has been seen, of how long it must last before it is due. Time in which nobody looked does not"
            " count. Each third is a strike: 1/3, 2/3.",
        ),
        ("due", "It has lasted long enough: the action of its rule is next. now: such a finding needs no time."),
        ("Would", "The action, or why it is not taken. With mode = report it is only told."),
        ("held", "A person wants it left alone: nothing is found and nothing is done until it is released."),
        (
            "clocks stand",
            "What was seen may not be true: the client is away, a VPN is down, a disk is not mounted. Nothing counts and"
            " nothing is done until that is over. Mend what is said beside it.",
        ),
        ("obligations", "What is settled before a torrent is taken out: seeding for its tracker, an import of its Arr."),
        (
            "caps",
            "How many torrents may be taken out, or their releases blocked, in a look and in a day (removals_per_look,"
            " removals_per_day).",
        ),
        ("replace", "Its Arr blocks the release and searches for another one. The torrent leaves; its files go to a bin."),
        ("retire", "The torrent leaves its client; its files stay where they are."),
        ("keep", "Its Arr blocks the release and searches for another one. The torrent stays."),
        ("locate", "Lost files are looked for and proven; then the client is told where they are."),
        ("undo", "Files and torrent come back, while the bin still has them."),
        *_STATES,
    ),
    "debrid": (
        ("Round", _ROUND),
        ("Slots", "How many torrents the service downloads for you at a time. Repairs leave some free."),
        ("Fault", "What the service says of the torrent, or what its links show."),
        ("Proof", "Who says that it is broken. Without one it is only suspected, and nothing is done."),
        ("Links", "Files on disk that lead to it and cannot be played."),
        ("plan", "What acting would work on now. Nothing is done in mode = report until you type its count."),
        ("Repair", "The torrent is added again. The old entry is removed only once the new one is proven."),
        (
            "guards",
            "Too much is wrong at once (max_refused, max_broken_share): it may be the service. torrent-mover debrid status says"
            " how much, debrid accept lets one run go on.",
        ),
        ("caps", "How many torrents one round may work on: max_repairs, max_deletes, max_quarantined, max_searches."),
        ("given up", "It failed too often. Retry tries it once more."),
        ("Set aside", "Links moved out of the library, for players to skip. Put back undoes it."),
        *_STATES,
    ),
}  # fmt: skip
"""By the name of the panel. What heads a column has a capital letter, as there."""
