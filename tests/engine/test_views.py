"""Guesses at where a folder is that somebody else calls otherwise."""

from __future__ import annotations

import pytest

from torrent_mover.domain.paths import ClientPath, HostPath
from torrent_mover.engine.preflight.path_views import client_views, host_views, pair


@pytest.mark.parametrize(
    ("ours", "known", "there"),
    [
        ("/mnt/data/downloads", "/data/downloads", "/data/downloads"),
        ("/mnt/data/downloads", "/data", "/data/downloads"),
        ("/mnt/data/downloads", "/data/incomplete/now", "/data/downloads"),
        ("/volume1/docker/qb/downloads", "/downloads", "/downloads"),
        ("/volume1/media/tv", "/downloads", "/media/tv"),
        ("/srv/library", "/library/complete", "/library"),
        ("/mnt/x", "/", "/x"),
    ],
)
def test_the_view_of_a_container_is_among_the_first_guesses(ours, known, there):
    parts = tuple(filter(None, ours.split("/")))

    guesses = client_views(parts, [ClientPath(known)], besides=ClientPath(ours))

    assert ClientPath(there) in guesses[:16]
    assert ClientPath(ours) not in guesses
    assert len(guesses) == len(set(guesses))


def test_a_chrooted_login_sees_the_end_of_the_path():
    guesses = host_views(
        ClientPath("/home/media/downloads"), [HostPath("/")], besides=HostPath("/home/media/downloads")
    )

    assert guesses == (HostPath("/media/downloads"), HostPath("/downloads"), HostPath("/"))


def test_a_containers_folder_lies_below_the_home_of_the_login():
    bases = [HostPath("/home/u"), HostPath("/")]

    guesses = host_views(ClientPath("/downloads/movies"), bases, besides=HostPath("/downloads/movies"))

    assert guesses[0] == HostPath("/home/u/downloads/movies")


@pytest.mark.parametrize(
    ("theirs", "ours", "line"),
    [
        ("/downloads", "/home/u/downloads", "/downloads = /home/u/downloads"),
        ("/downloads/movies", "/home/u/downloads/movies", "/downloads = /home/u/downloads"),
        ("/data/tv/hd", "/mnt/data/tv/hd", "/data = /mnt/data"),
        ("/home/u/files", "/files", "/home/u/files = /files"),
        ("/data", "/", "/data = /"),
    ],
)
def test_the_pair_to_write_leaves_out_what_both_have_at_their_ends(theirs, ours, line):
    assert pair(ClientPath(theirs), HostPath(ours)) == line
