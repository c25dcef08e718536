"""The products that the double can be, written down a second time: a mistake in the adapter's table is not repeated here."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class DoubleProduct:
    """One product at one version. `media` is the key of its media ids."""

    app: str
    version: str
    api: str
    scan: str
    search: str
    search_ids: str
    media: str
    owner: str
    file_in: str
    category: str
    has_skip: bool
    all_in: str = ""
    blocked: str = "importBlocked"
    failed: str = "failed"
    extensions: tuple[str, ...] = (".mkv", ".mp4")
    queue_flags: tuple[str, ...] = field(default=())


SONARR = DoubleProduct(
    "Sonarr",
    "4.0.19.2979",
    "/api/v3",
    "DownloadedEpisodesScan",
    "EpisodeSearch",
    "episodeIds",
    "episodeId",
    "seriesId",
    "downloadFolderImported",
    "tvCategory",
    has_skip=True,
)
SONARR_3 = DoubleProduct(
    "Sonarr",
    "3.0.10.1567",
    "/api/v3",
    "DownloadedEpisodesScan",
    "EpisodeSearch",
    "episodeIds",
    "episodeId",
    "seriesId",
    "downloadFolderImported",
    "tvCategory",
    has_skip=False,
    blocked="importPending",
)
RADARR = DoubleProduct(
    "Radarr",
    "6.0.4.10291",
    "/api/v3",
    "DownloadedMoviesScan",
    "MoviesSearch",
    "movieIds",
    "movieId",
    "movieId",
    "downloadFolderImported",
    "movieCategory",
    has_skip=True,
)
LIDARR = DoubleProduct(
    "Lidarr",
    "2.14.5.4836",
    "/api/v1",
    "DownloadedAlbumsScan",
    "AlbumSearch",
    "albumIds",
    "albumId",
    "artistId",
    "trackFileImported",
    "musicCategory",
    has_skip=True,
    all_in="downloadImported",
    failed="downloadFailed",
    extensions=(".flac", ".mp3"),
    queue_flags=("includeAlbum",),
)
READARR = DoubleProduct(
    "Readarr",
    "0.3.32.2587",
    "/api/v1",
    "DownloadedBooksScan",
    "BookSearch",
    "bookIds",
    "bookId",
    "authorId",
    "bookFileImported",
    "musicCategory",
    has_skip=True,
    blocked="importFailed",
    failed="downloadFailed",
    extensions=(".epub",),
)
WHISPARR_2 = DoubleProduct(
    "Whisparr",
    "2.0.0.987",
    "/api/v3",
    "DownloadedEpisodesScan",
    "EpisodeSearch",
    "episodeIds",
    "episodeId",
    "seriesId",
    "downloadFolderImported",
    "tvCategory",
    has_skip=True,
    blocked="importPending",
)
WHISPARR_3 = DoubleProduct(
    "Whisparr",
    "3.0.1.1214",
    "/api/v3",
    "DownloadedMoviesScan",
    "MoviesSearch",
    "movieIds",
    "movieId",
    "movieId",
    "downloadFolderImported",
    "movieCategory",
    has_skip=True,
    blocked="importPending",
)

PRODUCTS = {
    f"{product.app} {product.version}": product
    for product in (SONARR, SONARR_3, RADARR, LIDARR, READARR, WHISPARR_2, WHISPARR_3)
}
