"""One Arr over its web API: a `ports.media_manager.MediaManager`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from torrent_mover.adapters.arr.answers import (
    Item,
    Malformed,
    alarm_of,
    client_of,
    command_of,
    event_of,
    mapping_of,
    media_facts_of,
    media_file_of,
    number_of,
    path_of,
    quality_ranks_of,
    queue_item_of,
    rejected_of,
    season_sizes_of,
    seen_in,
    wanted_of,
)
from torrent_mover.adapters.arr.products import APIS, ArrFileApi, ArrProduct, parse_version, product_of
from torrent_mover.adapters.arr.trouble import ArrTrouble
from torrent_mover.adapters.http import HttpAnswer, HttpPlace, HttpService, HttpTrouble, RequestPace
from torrent_mover.domain.arrs.errors import ArrTooOld
from torrent_mover.domain.arrs.media import (
    ArrAlarm,
    ArrClient,
    ArrCommand,
    ArrInfo,
    CommandStatus,
    DownloadPolicy,
    MediaEvent,
    MediaFacts,
    MediaFile,
    QueueItem,
    RejectedFile,
    RemoteMapping,
    WantedMedia,
)
from torrent_mover.domain.errors import LoginRefused
from torrent_mover.domain.paths import ArrPath
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.arr import ArrSettings
from torrent_mover.domain.text import is_utf8
from torrent_mover.domain.torrent.torrent import InfoHash

AT_ONCE: Final = 2
A_SECOND: Final = 4
"""Requests to one Arr: at a time, and a second. It serves people too."""

EVENTS_A_PAGE: Final = 1000
"""Events of one torrent that are asked for at a time; a season pack has some dozens."""

WANTED_A_PAGE: Final = 1000

_NOT_FOUND: Final = 404
_STATUS: Final = "/system/status"


class ArrManager:
    """See ports.media_manager.MediaManager.

    Asks nothing before it is asked; learns the product at the first call. A key that was refused is not tried again.
    `wait` and `monotonic` keep the pace; `wait` may raise where everything is stopped.
    """

    def __init__(
        self,
        name: str,
        settings: ArrSettings,
        wait: Callable[[float], object] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        section = f"ARR {name}"
        place = HttpPlace(
            settings.base_url,
            {"X-Api-Key": settings.api_key or Secret("")},
            settings.timeout,
            settings.verify_cert,
            str(settings.ca_file) if settings.ca_file else "",
            settings.basic_auth,
            section,
        )
        self.name: Final = name
        self.server: Final = place.name
        self._wanted = settings.type
        self._http = HttpService(place, RequestPace(AT_ONCE, A_SECOND, wait, monotonic))
        self._trouble = ArrTrouble(section, place.name, settings.key_place)
        self._known: tuple[ArrProduct, ArrInfo] | None = None
        self._refused: LoginRefused | None = None

    # What it is

    def alive(self) -> bool:
        """See the port."""
        answer = self._ask("GET", "/ping", with_key=False)
        self._check(answer, "/ping")
        status: object = self._trouble.data(answer, dict).get("status")
        if status != "OK":
            raise self._trouble.garbled("another answer than OK to a ping")
        return True

    def info(self) -> ArrInfo:
        """See the port."""
        self._known = None
        return self._learn()[1]

    def _learn(self) -> tuple[ArrProduct, ArrInfo]:
        """Product and version; asked once, and again after `info`."""
        if self._known is None:
            told = self._status()
            app, version = told.get("appName"), told.get("version")
            if not isinstance(app, str) or not isinstance(version, str) or not app:
                raise self._trouble.no_arr("it does not say its name")
            product = product_of(app, version)
            if product is None:
                raise self._trouble.unknown_product(app)
            self._trouble.product, self._trouble.version = product.app, version
            if self._wanted is not None and self._wanted.value != product.app.casefold():
                raise self._trouble.other(self._wanted.value.capitalize())
            if parse_version(version) < product.oldest:
                raise self._trouble.too_old(".".join(map(str, product.oldest)))
            base = told.get("urlBase")
            info = ArrInfo(
                product.app,
                version,
                base if isinstance(base, str) else "",
                product.tells_all_imported,
                product.has_seasons,
            )
            self._known = product, info
        return self._known

    def _status(self) -> Mapping[str, Any]:
        """What it says of itself, wherever its API is."""
        for api in APIS[:-1]:
            try:
                return self._object(api, _STATUS)
            except ArrTooOld:  # no such path: an Arr with another version of the API
                continue
        return self._object(APIS[-1], _STATUS)

    # What it knows of torrents

    def queue(self) -> Sequence[QueueItem]:
        """See the port."""
        product, _ = self._learn()
        items = self._list(product.api, "/queue/details", dict(product.queue_extra))
        with self._reading():
            return [queue_item_of(item, product) for item in items]

    def events(self, torrent: InfoHash) -> Sequence[MediaEvent]:
        """See the port. Asked by the downloadId in capitals, as the Arrs write it."""
        product, _ = self._learn()
        found = self._pages("/history", {"downloadId": torrent.hex.upper()}, EVENTS_A_PAGE)
        with self._reading():
            events = [event_of(item, product) for item in found]
        return _newest_first(event for event in events if event.torrent == torrent)

    def events_since(self, at: float) -> Sequence[MediaEvent]:
        """See the port."""
        product, _ = self._learn()
        date = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        items = self._list(product.api, "/history/since", {"date": date})
        with self._reading():
            return _newest_first(event_of(item, product) for item in items)

    # What it sees

    def sees(self, folder: ArrPath) -> Mapping[str, int | None]:
        """See the port. Asked with a slash at the end: without one, it answers for the folder above."""
        product, _ = self._learn()
        query = {"path": f"{folder.text.rstrip('/')}/", "includeFiles": "true"}
        result = self._object(product.api, "/filesystem", query)
        with self._reading():
            return seen_in(result)

    def root_folders(self) -> Sequence[ArrPath]:
        """See the port."""
        return self._paths("/rootfolder")

    def disks(self) -> Sequence[ArrPath]:
        """See the port."""
        return self._paths("/diskspace")

    def _paths(self, path: str) -> list[ArrPath]:
        product, _ = self._learn()
        found = [path_of(item.get("path")) for item in self._list(product.api, path)]
        return [each for each in found if each is not None]

    # How it is set up

    def clients(self) -> Sequence[ArrClient]:
        """See the port."""
        product, _ = self._learn()
        items = self._list(product.api, "/downloadclient")
        return [client for item in items if (client := client_of(item, product)) is not None]

    def mappings(self) -> Sequence[RemoteMapping]:
        """See the port."""
        product, _ = self._learn()
        found = [mapping_of(item) for item in self._list(product.api, "/remotepathmapping")]
        return [each for each in found if each is not None]

    def policy(self) -> DownloadPolicy:
        """See the port."""
        product, _ = self._learn()
        told = self._object(product.api, "/config/downloadclient")
        return DownloadPolicy(
            told.get("enableCompletedDownloadHandling") is True,
            told.get("autoRedownloadFailed") is True,
            told.get("autoRedownloadFailedFromInteractiveSearch") is not False,  # older ones make no difference
        )

    # What it is told

    def scan(self, path: ArrPath, torrent: InfoHash) -> ArrCommand:
        """See the port. Always by Copy: Auto moves the files of a torrent that it does not track out of what seeds."""
        product, _ = self._learn()
        return self._order(
            product,
            {
                "name": product.scan,
                "path": path.text,
                "downloadClientId": torrent.hex.upper(),
                "importMode": "Copy",
            },
        )

    def refresh(self) -> ArrCommand:
        """See the port."""
        product, _ = self._learn()
        return self._order(product, {"name": "RefreshMonitoredDownloads"})

    def search(self, media: Sequence[int]) -> ArrCommand:
        """See the port."""
        product, _ = self._learn()
        return self._order(product, {"name": product.search, product.search_ids: list(media)})

    def search_season(self, owner: int, season: int) -> ArrCommand:
        """See the port."""
        product, _ = self._learn()
        return self._order(product, {"name": "SeasonSearch", "seriesId": owner, "seasonNumber": season})

    def sync_feeds(self) -> ArrCommand:
        """See the port."""
        product, _ = self._learn()
        return self._order(product, {"name": "RssSync"})

    def command(self, number: int) -> ArrCommand:
        """See the port."""
        product, _ = self._learn()
        path = f"{product.api}/command/{number}"
        answer = self._ask("GET", path)
        if answer.status == _NOT_FOUND and not answer.is_page:
            return ArrCommand(number, "", CommandStatus.LOST, "forgotten")
        self._check(answer, path)
        told = self._trouble.data(answer, dict)
        with self._reading():
            return command_of(told, product)

    def commands(self) -> Sequence[ArrCommand]:
        """See the port."""
        product, _ = self._learn()
        items = self._list(product.api, "/command")
        with self._reading():
            return sorted((command_of(item, product) for item in items), key=lambda command: command.number)

    def _order(self, product: ArrProduct, body: Mapping[str, object]) -> ArrCommand:
        path = f"{product.api}/command"
        answer = self._ask("POST", path, body=body)
        self._check(answer, path)
        told = self._trouble.data(answer, dict)
        with self._reading():
            return command_of(told, product)

    # Why not, and away with it

    def why_not(self, path: ArrPath) -> Sequence[RejectedFile]:
        """See the port. Never asked by downloadId: that would make the Arr ignore the folder."""
        product, _ = self._learn()
        items = self._list(product.api, "/manualimport", {"folder": path.text})
        return [file for item in items if (file := rejected_of(item)).reasons]

    def skips_search(self) -> bool:
        """See the port."""
        product, info = self._learn()
        return parse_version(info.version) >= product.skips_search

    def refuse(self, queue_number: int) -> bool:
        """See the port."""
        product, _ = self._learn()
        skips = self.skips_search()
        query = {"removeFromClient": "false", "blocklist": "true"} | ({"skipRedownload": "true"} if skips else {})
        path = f"{product.api}/queue/{queue_number}"
        answer = self._ask("DELETE", path, query)
        if answer.status == _NOT_FOUND and not answer.is_page:
            raise self._trouble.line_gone(queue_number)
        self._check(answer, path)
        return skips

    def fail_grab(self, event_number: int) -> None:
        """See the port."""
        product, _ = self._learn()
        path = f"{product.api}/history/failed/{event_number}"
        self._check(self._ask("POST", path), path)

    # The files of its library

    def files_at(self, paths: Collection[ArrPath]) -> Mapping[ArrPath, MediaFile]:
        """See ports.media_library.MediaLibrary. One question for each series or movie that a path lies in."""
        product, _ = self._learn()
        found: dict[ArrPath, MediaFile] = {}
        if product.library is None or not paths:
            return found
        for owner in self._list(product.api, product.library.owners):
            folder = path_of(owner.get("path"))
            if folder is not None and any(path.is_within(folder) for path in paths):
                with self._reading():
                    found |= self._files_of(product.api, product.library, owner, paths)
        return found

    def _files_of(
        self, api: str, library: ArrFileApi, owner: Item, paths: Collection[ArrPath]
    ) -> dict[ArrPath, MediaFile]:
        query = {library.owner_id: str(number_of(owner, "id"))}
        files = [file for file in self._list(api, library.files, query) if path_of(file.get("path")) in paths]
        if not files:
            return {}
        parts = self._list(api, library.parts, query) if library.parts else [owner]
        history = self._list(api, library.history, query)
        found = [media_file_of(file, parts, history) for file in files]
        return {file.path: file for file in found if file is not None}

    def facts_of(self, media: Collection[int]) -> Sequence[MediaFacts] | None:
        """See ports.media_library.MediaLibrary. One question for each: lists leave out what files and series say."""
        product, _ = self._learn()
        if product.library is None:
            return None
        place = f"{product.api}{product.library.parts or product.library.owners}"
        return [self._facts(f"{place}/{number}", number) for number in media]

    def _facts(self, path: str, number: int) -> MediaFacts:
        answer = self._ask("GET", path)
        if answer.status == _NOT_FOUND and not answer.is_page:
            return MediaFacts(number, exists=False)
        self._check(answer, path)
        told = self._trouble.data(answer, dict)
        with self._reading():
            return media_facts_of(told)

    def quality_ranks(self, profile: int) -> Mapping[str, int]:
        """See ports.media_library.MediaLibrary."""
        product, _ = self._learn()
        told = self._object(product.api, f"/qualityprofile/{profile}")
        with self._reading():
            return quality_ranks_of(told)

    def drop_file(self, number: int) -> bool:
        """See ports.media_library.MediaLibrary."""
        product, _ = self._learn()
        if product.library is None:
            return False
        path = f"{product.api}{product.library.files}/{number}"
        answer = self._ask("DELETE", path)
        if answer.status == _NOT_FOUND and not answer.is_page:
            return False
        self._check(answer, path)
        return True

    def watch(self, media: Sequence[int]) -> None:
        """See ports.media_library.MediaLibrary."""
        product, _ = self._learn()
        if product.library is not None and media:
            path = f"{product.api}{product.library.watch}"
            body = {product.library.watch_ids: list(media), "monitored": True}
            self._check(self._ask("PUT", path, body=body), path)

    # What it wants, and how it is

    def missing(self, *, monitored: bool = True) -> Sequence[WantedMedia]:
        """See the port."""
        return self._wants("/wanted/missing", monitored=monitored)

    def below_cutoff(self, *, monitored: bool = True) -> Sequence[WantedMedia]:
        """See the port."""
        return self._wants("/wanted/cutoff", monitored=monitored)

    def _wants(self, path: str, *, monitored: bool) -> list[WantedMedia]:
        product, _ = self._learn()
        query = {"monitored": "true" if monitored else "false"}
        if product.has_seasons:
            query["includeSeries"] = "true"  # its tvdbId, and its title
        items = self._pages(path, query, WANTED_A_PAGE)
        with self._reading():
            return [wanted_of(item, product) for item in items]

    def season_sizes(self, owner: int) -> Mapping[int, int]:
        """See the port."""
        product, _ = self._learn()
        if not product.has_seasons:
            return {}
        told = self._object(product.api, f"/{product.owner}/{owner}")
        with self._reading():
            return season_sizes_of(told)

    def profiles(self) -> Mapping[str, int]:
        """See the port."""
        product, _ = self._learn()
        items = self._list(product.api, "/qualityprofile")
        with self._reading():
            return {str(item.get("name")): number_of(item, "id") for item in items}

    def profile_of(self, owner: int) -> int:
        """See the port."""
        product, _ = self._learn()
        told = self._object(product.api, f"/{product.owner}/{owner}")
        with self._reading():
            return number_of(told, "qualityProfileId")

    def set_profile(self, owner: int, profile: int) -> None:
        """See the port. By the editor, which changes this one value: the whole record may be newer than what was read."""
        product, _ = self._learn()
        path = f"{product.api}/{product.owner}/editor"
        self._check(self._ask("PUT", path, body={f"{product.owner}Ids": [owner], "qualityProfileId": profile}), path)

    def alarms(self) -> Sequence[ArrAlarm]:
        """See the port."""
        product, _ = self._learn()
        return [alarm_of(item) for item in self._list(product.api, "/health")]

    def close(self) -> None:
        """See the port."""
        self._http.close()

    # Asking

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        *,
        with_key: bool = True,
    ) -> HttpAnswer:
        if (
            self._refused is not None and with_key
        ):  # a refused key is not tried again: a changed config makes a new object
            raise self._refused
        said = [*(query or {}).values(), *(body.values() if isinstance(body, dict) else ())]
        if not all(is_utf8(each) for each in said if isinstance(each, str)):
            raise self._trouble.unsayable()
        try:
            return self._http.ask(method, path, query, body, with_key=with_key)
        except HttpTrouble as trouble:
            raise self._trouble.no_answer(trouble) from trouble

    def _check(self, answer: HttpAnswer, path: str) -> None:
        try:
            self._trouble.check(answer, path)
        except LoginRefused as error:
            self._refused = error
            raise

    def _object(self, api: str, path: str, query: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        answer = self._ask("GET", f"{api}{path}", query)
        self._check(answer, f"{api}{path}")
        told: Mapping[str, Any] = self._trouble.data(answer, dict)
        return told

    def _list(self, api: str, path: str, query: Mapping[str, str] | None = None) -> list[Item]:
        answer = self._ask("GET", f"{api}{path}", query)
        self._check(answer, f"{api}{path}")
        return self._objects(self._trouble.data(answer, list))

    def _pages(self, path: str, query: Mapping[str, str], size: int) -> list[Item]:
        """All records of a list that comes in pages. Raises ArrGarbled where a page does not fit the others."""
        product, _ = self._learn()
        records: list[Item] = []
        page = 1
        while True:
            told = self._object(product.api, path, {**query, "page": str(page), "pageSize": str(size)})
            total, found = told.get("totalRecords"), told.get("records")
            if not isinstance(total, int) or not isinstance(found, list):
                raise self._trouble.garbled("a page without records")
            records += self._objects(found)
            if len(records) >= total:
                return records
            if not found:
                raise self._trouble.garbled(f"{len(records)} of {total} records, and then no more")
            page += 1

    def _objects(self, told: list[Any]) -> list[Item]:
        if not all(isinstance(each, dict) for each in told):
            raise self._trouble.garbled("a list of something else than objects")
        return told

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except Malformed as error:
            raise self._trouble.garbled(f"an answer that makes no sense ({json.dumps(str(error))})") from error


def _newest_first(events: Iterator[MediaEvent]) -> list[MediaEvent]:
    return sorted(events, key=lambda event: (event.at, event.number), reverse=True)
