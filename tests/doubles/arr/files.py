"""The files of an Arr double's library: a broken link is a file to it; one that goes may stop being watched."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.doubles.arr.library import Library
    from tests.doubles.arr.server import ArrDouble

OWNER = 7
_Answer = tuple[int, Any]


def stamp(at: float) -> str:
    """A date as an Arr writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class KeptFile:
    """A file: its path as the Arr sees it, and what it holds."""

    path: str
    media: tuple[int, ...]
    score: int = 0
    quality: str = "WEBDL-1080p"
    revision: dict[str, int | bool] = field(default_factory=lambda: {"version": 1, "real": 0, "isRepack": False})


def keep(library: Library, number: int, path: str, *media: int, torrent: str) -> None:
    """It has imported a file from a torrent, which it grabbed before."""
    library.kept[number] = KeptFile(path, media)
    library.grab(torrent, *media, title=f"Release.{torrent[:4]}")
    for each in media:
        data = {"fileId": str(number), "importedPath": path, "droppedPath": f"/downloads/{number}.mkv"}
        library._event(library.product.file_in, each, torrent, "Release", data)


def owners(double: ArrDouble, _query: dict[str, str], _body: Any) -> _Answer:
    """The series, or the movies: each of these has a folder of its own."""
    library = double.library
    if library.product.owner == "seriesId":
        return 200, [{"id": OWNER, "title": "Show", "path": f"{library.root_folder}/Show", "monitored": True}]
    return 200, [
        {
            "id": each.number,
            "title": each.title,
            "path": f"{library.root_folder}/{each.title}",
            "monitored": each.monitored,
        }
        for each in library.media.values()
    ]


def files(double: ArrDouble, query: dict[str, str], _body: Any) -> _Answer:
    """The files of one of them."""
    owner = int(query[double.library.product.owner])
    return 200, [
        {"id": number, "path": file.path, "size": 1000}
        for number, file in double.library.kept.items()
        if double.library.product.owner == "seriesId" or owner in file.media
    ]


def episodes(double: ArrDouble, _query: dict[str, str], _body: Any) -> _Answer:
    """All episodes, with the file that each of them has."""
    held = {media: number for number, file in double.library.kept.items() for media in file.media}
    return 200, [
        {"id": each.number, "title": each.title, "monitored": each.monitored, "episodeFileId": held.get(each.number, 0)}
        for each in double.library.media.values()
    ]


def of_number(double: ArrDouble, number: int, _query: dict[str, str]) -> _Answer:
    """One episode with its series, or one movie; with its file."""
    library = double.library
    media = library.media.get(number)
    if media is None:
        return double.owner(number, {}) if library.product.owner == "movieId" else (404, {"message": "NotFound"})
    held = next(((key, file) for key, file in library.kept.items() if number in file.media), None)
    shows = library.product.owner == "seriesId"
    told: dict[str, Any] = {
        "id": number,
        "title": media.title,
        "monitored": media.monitored,
        "hasFile": held is not None,
    }
    if media.airs_at is not None:
        told["airDateUtc" if shows else "inCinemas"] = stamp(media.airs_at)
    if shows:
        told |= {"seriesId": OWNER, "series": library.owners.get(OWNER, {"id": OWNER, "monitored": True})}
    if held is not None:
        key, file = held
        quality = {"quality": {"id": 3, "name": file.quality}, "revision": file.revision}
        told["episodeFile" if shows else "movieFile"] = {
            "id": key,
            "path": file.path,
            "quality": quality,
            "customFormatScore": file.score,
        }
    return 200, ({} if shows else library.owners.get(number, {})) | told


def history(double: ArrDouble, query: dict[str, str], _body: Any) -> _Answer:
    """Events of one owner, newest first, without pages."""
    product = double.library.product
    owner = int(query[product.owner])
    return 200, [event for event in reversed(double.library.history) if event[product.owner] == owner]


def drop(double: ArrDouble, number: int, _query: dict[str, str]) -> _Answer:
    """Take a file out of the library."""
    file = double.library.kept.pop(number, None)
    if file is None:
        return 404, {"message": "NotFound"}
    if double.library.unmonitors:
        for media in file.media:
            double.library.media[media].monitored = False
    return 200, {}


def watch(double: ArrDouble, _query: dict[str, str], body: Any) -> _Answer:
    """Watch media again."""
    for number in body.get("episodeIds") or body.get("movieIds"):
        double.library.media[number].monitored = body["monitored"]
    return 202, []


ROUTES = {
    ("GET", "/series"): owners,
    ("GET", "/movie"): owners,
    ("GET", "/episodefile"): files,
    ("GET", "/moviefile"): files,
    ("GET", "/episode"): episodes,
    ("GET", "/history/series"): history,
    ("GET", "/history/movie"): history,
    ("PUT", "/episode/monitor"): watch,
    ("PUT", "/movie/editor"): watch,
}
NUMBERED = {
    ("DELETE", "/episodefile"): drop,
    ("DELETE", "/moviefile"): drop,
    ("GET", "/episode"): of_number,
    ("GET", "/movie"): of_number,
}
PARAMETERS = {
    "/episodefile": {"seriesId"},
    "/moviefile": {"movieId"},
    "/episode": {"seriesId"},
    "/history/series": {"seriesId"},
    "/history/movie": {"movieId"},
}
