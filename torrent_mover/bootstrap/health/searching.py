"""Builds what one loop searches by: its Arr, its records, and the program in which people ask for media."""

from __future__ import annotations

from contextlib import ExitStack

from torrent_mover.adapters.http import HttpPlace, HttpService, RequestPace
from torrent_mover.adapters.requests.asking import PortalService
from torrent_mover.adapters.requests.ombi import OmbiPortal
from torrent_mover.adapters.requests.overseerr import OverseerrPortal
from torrent_mover.domain.arrs.requests import MediaRequest
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.kinds import HostAddress
from torrent_mover.duties.health.search_settings import RequestsKind, SearchSettings
from torrent_mover.duties.health.searching.search_journal import SearchJournal
from torrent_mover.duties.health.searching.searcher import Searcher
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.documents import Documents
from torrent_mover.ports.media_manager import MediaManager
from torrent_mover.ports.requests import RequestsPortal

_AT_ONCE, _A_SECOND = 1, 4
_TIMEOUT = 30.0


def build_searches(
    name: str,
    settings: SearchSettings,
    manager: MediaManager,
    documents: Documents,
    clock: Clock,
    stack: ExitStack,
    *,
    acts: bool,
) -> Searcher:
    """Asks nobody; `stack` ends the connections. `acts` False: it only says what it would do."""
    portal = portal_of(name, settings, clock)
    if portal is not None:
        stack.callback(portal.close)
    return Searcher(manager, SearchJournal(documents), settings, clock, acts, portal)


def portal_of(name: str, settings: SearchSettings, clock: Clock) -> RequestsPortal | None:
    """The program in which people ask for media, as far as this loop looks at it; None: there is none."""
    if settings.requests_type is None or settings.requests_url is None:
        return None
    url, section = settings.requests_url, f"HEALTH {name}"
    base = str(HostAddress(url.name, url.scheme or "http", url.port, url.path))
    is_ombi = settings.requests_type is RequestsKind.OMBI
    header = "ApiKey" if is_ombi else "X-Api-Key"
    place = HttpPlace(base, {header: settings.requests_key or Secret("")}, _TIMEOUT, section=section)
    http = HttpService(place, RequestPace(_AT_ONCE, _A_SECOND, clock.wait, clock.monotonic))
    service = PortalService(http, settings.requests_type.value.capitalize(), section, settings.requests_key_place)
    whole: RequestsPortal = OmbiPortal(service) if is_ombi else OverseerrPortal(service)
    return WantedRequests(whole, approved=settings.requests_approved, is_4k=settings.requests_4k)


class WantedRequests:
    """See ports.requests.RequestsPortal: those that the settings want."""

    def __init__(self, portal: RequestsPortal, *, approved: bool, is_4k: bool) -> None:
        self._portal = portal
        self._approved = approved
        self._is_4k = is_4k

    @property
    def name(self) -> str:
        """See the port."""
        return self._portal.name

    def open_requests(self) -> list[MediaRequest]:
        """See the port."""
        return [
            request
            for request in self._portal.open_requests()
            if request.is_4k is self._is_4k and (request.approved or not self._approved)
        ]

    def close(self) -> None:
        """See the port."""
        self._portal.close()
