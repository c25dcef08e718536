"""Error numbers of file operations: each in words of its own, found in any program's message, with a remedy that fits."""

import errno
import os

import pytest

from torrent_mover.domain.file_trouble import Nature, trouble_in, trouble_of

MET = [
    "EFBIG",
    "EMFILE",
    "ENFILE",
    "ENAMETOOLONG",
    "ENODEV",
    "ESTALE",
    "EDQUOT",
    "EROFS",
    "EIO",
    "ENOSPC",
    "EACCES",
    "EPERM",
    "ENOTDIR",
    "EISDIR",
    "ELOOP",
    "ENXIO",
    "ETXTBSY",
    "EBUSY",
    "ENOTCONN",
    "ETIMEDOUT",
    "EHOSTDOWN",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "ECONNREFUSED",
    "ECONNRESET",
    "EEXIST",
    "ENOENT",
    "ENOTEMPTY",
    "EINVAL",
    "EILSEQ",
    "EXDEV",
    "EMLINK",
    "EUCLEAN",
    "EBADMSG",
    "ENOKEY",
    "ENOMEM",
    "ENOMEDIUM",
    "ESHUTDOWN",
    "EOPNOTSUPP",
    "ENOSYS",
    "ECONNABORTED",
    "EREMOTEIO",
]


@pytest.mark.parametrize("name", MET)
def test_each_number_has_a_sentence_and_a_remedy_of_its_own(name):
    number = getattr(errno, name)
    trouble = trouble_of(number)

    assert trouble.number == number
    assert trouble.what
    assert trouble is trouble_of(number)
    assert trouble.helps("'/a b'", "/a")


@pytest.mark.parametrize("name", MET)
def test_what_the_c_library_says_leads_back_to_the_number(name):
    number = getattr(errno, name)
    found = trouble_in(f"write failed: {os.strerror(number)} ({number})")

    assert found is not None
    assert found.number == number


def test_the_kernels_log_helps_only_where_a_disk_fails():
    telling = {name for name in MET if "dmesg" in trouble_of(getattr(errno, name)).remedy}

    assert telling == {"EIO", "ESHUTDOWN"}


def test_only_a_full_disk_is_full():
    assert {name for name in MET if trouble_of(getattr(errno, name)).nature is Nature.FULL} == {"ENOSPC", "EDQUOT"}


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("Quota exceeded (122)", errno.EDQUOT),  # musl
        ("Disc quota exceeded (69)", errno.EDQUOT),  # BSD, macOS
        ("Filename too long", errno.ENAMETOOLONG),
        ("No file descriptors available", errno.EMFILE),
        ("Too many open files in system", errno.ENFILE),
        ("Stale NFS file handle", errno.ESTALE),
        ("read-only file system", errno.EROFS),  # Go
    ],
)
def test_other_c_libraries_are_understood(said, number):
    found = trouble_in(said)

    assert found is not None
    assert found.number == number


def test_a_number_that_nobody_knows_is_told_in_the_systems_words():
    trouble = trouble_of(errno.EL2HLT)

    assert trouble.what == os.strerror(errno.EL2HLT)
    assert "/data" in trouble.helps("/data/a", "/data")
    assert trouble_of(0).what


@pytest.mark.parametrize("said", ["Failure", "", "SSH_FX_FAILURE"])
def test_a_bare_failure_says_nothing(said):
    assert trouble_in(said) is None
