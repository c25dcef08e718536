import pytest

from torrent_mover.domain.rsync_options import sift


def left_out(*words: str) -> dict[str, str]:
    return {notice.option: notice.reason for notice in sift(words).left_out}


def test_the_default_is_what_is_done_anyway():
    assert sift(["-a", "--partial"]) == sift([])


def test_the_first_template_works_with_notices():
    options = sift(["-ahHSP", "--partial", "--inplace"])

    assert options.accepted == ("--sparse",)
    assert [notice.option for notice in options.left_out] == ["-h", "-H", "-P"]


def test_a_notice_names_option_and_reason():
    assert str(sift(["-h"]).left_out[0]) == (
        "rsync_options: -h is left out: it rounds the figures that progress is counted from."
    )


@pytest.mark.parametrize(
    "option",
    [
        *("--append", "--append-verify", "--old-args", "--trust-sender", "--delete", "--del", "--delete-after"),
        *("--remove-source-files", "--files-from=/x", "--links", "-l", "-D", "-p", "-o", "-g", "-t", "-c", "-n", "-u"),
        *("--backup", "--partial-dir=.p", "--info=progress2", "--progress", "-v", "-q", "--timeout=5", "--no-inplace"),
        *("--write-devices", "--copy-as=root", "--no-protect-args", "--size-only", "--max-size=1G", "--exclude=*.nfo"),
        *("--log-file=/etc/passwd", "--never-heard-of", "--rsync-path=$(id)", "--rsync-path=a;b", "--bwlimit=x", "a/b"),
    ],
)
def test_what_breaks_safety_counting_or_completeness_is_left_out(option):
    options = sift([option])

    assert options.accepted == ()
    assert len(options.left_out) == 1


@pytest.mark.parametrize(
    ("words", "accepted"),
    [
        (["--bwlimit=2000"], ("--bwlimit=2000",)),
        (["--bwlimit", "1.5m"], ("--bwlimit=1.5m",)),
        (["-B", "131072"], ("--block-size=131072",)),
        (["-B131072"], ("--block-size=131072",)),
        (["-zS4"], ("--compress", "--sparse", "--ipv4")),
        (["--rsync-path=sudo /opt/bin/rsync"], ("--rsync-path=sudo /opt/bin/rsync",)),
        (["--rsync-path", "~/bin/rsync"], ("--rsync-path=~/bin/rsync",)),
        (["--zc=zstd"], ("--compress-choice=zstd",)),
    ],
)
def test_harmless_ones_are_taken_over(words, accepted):
    assert sift(words).accepted == accepted
    assert sift(words).left_out == ()


def test_a_value_in_the_next_word_goes_with_its_option():
    options = sift(["-e", "ssh -p 22", "--exclude", "--delete", "--fsync"])

    assert options.accepted == ("--fsync",)
    assert [notice.option for notice in options.left_out] == ["-e=ssh -p 22", "--exclude=--delete"]


def test_an_option_at_the_end_of_a_bundle_takes_its_value():
    options = sift(["-aze", "ssh -i key"])

    assert options.accepted == ("--compress",)
    assert "how ssh is called" in left_out("-aze", "ssh -i key")["-e=ssh -i key"]


def test_paths_and_dashes_are_no_options():
    assert sift(["--", "/etc", "host:/x", "-"]).accepted == ()


def test_each_option_is_named_once():
    assert len(sift(["-v", "-v", "-vv"]).left_out) == 1
