"""What a duty gets for one dataclass and one line: its sections are read, checked, told in the template and in the reference."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import pytest

from tests.domain.test_settings import AROUND, a_document
from torrent_mover.bootstrap.sections import SCHEMA
from torrent_mover.domain.settings.document import ConfigDocument, ConfigEntry
from torrent_mover.domain.settings.kinds import TEXT, WORDS, YES_NO, Key, duration, section_name
from torrent_mover.domain.settings.problems import ConfigPlace, Severity
from torrent_mover.domain.settings.reading import read_configuration
from torrent_mover.domain.settings.schema import CLIENT as CLIENTS
from torrent_mover.domain.settings.schema import DESTINATION_CLIENT, SOURCE_CLIENT, many, of_each
from torrent_mover.domain.settings.text import reference_markdown, template


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUpTier:
    """A fast disk in front of a slow one."""

    client: Annotated[str, Key(section_name("CLIENT"), "The client whose data lies there.", example="your-client")]
    disk: Annotated[str, Key(TEXT, "Path of the fast disk.", example="/path/to/ssd")]
    min_age: Annotated[float, Key(duration(0), "Copy a torrent only when it is this old.")] = 600.0
    eager: Annotated[bool, Key(YES_NO, "Copy at once.")] = False


def one_disk_each(tiers):
    """A check of the duty: it sees all its sections."""
    disks = {}
    for tier in tiers.values():
        first = disks.setdefault(tier.get("disk"), tier)
        if first is not tier:
            yield tier.problem("disk", f"[{first.name}] ({first.at('disk')}) has it too.", "Choose another disk.")


WITH_TIERS = SCHEMA.adding(many("SHELF", MadeUpTier, one_disk_each))

CLIENT = {"host": "http://box.lan", "port": "8080", "username": "", "password": None}


def document_of(**sections):
    """A document of named sections alone: SHELF_ssd is [SHELF ssd]."""
    headings, entries, line = [], [], 0
    for section, keys in sections.items():
        line += 1
        name = section.replace("_", " ", 1)
        headings.append((name, ConfigPlace("c.ini", line)))
        for key, text in keys.items():
            line += 1
            if text is not None:
                entries.append(ConfigEntry(name, key, text, ConfigPlace("c.ini", line)))
    return ConfigDocument("c.ini", tuple(headings), tuple(entries))


def read(**sections):
    return read_configuration(document_of(**sections), AROUND, WITH_TIERS)


def test_they_are_read_by_name_with_their_defaults_and_need_no_route():
    found, problems = read(
        CLIENT_box=CLIENT,
        SHELF_ssd={"client": "box", "disk": "/ssd", "min_age": "1h"},
        SHELF_nvme={"client": "BOX", "disk": "/nvme", "eager": "yes"},
    )
    assert problems == ()
    assert found.routes == ()
    assert found.named(MadeUpTier) == {
        "ssd": MadeUpTier(client="box", disk="/ssd", min_age=3600.0),
        "nvme": MadeUpTier(client="box", disk="/nvme", eager=True),
    }
    assert found.clients["box"].url == "http://box.lan:8080"


def test_a_config_without_them_has_none():
    assert read(CLIENT_box=CLIENT, SHELF_ssd={"client": "box", "disk": "/ssd"})[0].named(dict) == {}


def test_a_section_that_has_its_word_alone_is_called_default():
    found, problems = read(CLIENT=CLIENT, SHELF={"client": "default", "disk": "/ssd"})
    assert problems == ()
    assert list(found.named(MadeUpTier)) == ["default"]
    assert list(found.clients) == ["default"]


def test_they_stand_beside_the_sections_of_the_mover_and_may_name_its_client():
    document, own = a_document(), document_of(SHELF_ssd={"client": "source_client", "disk": "/ssd"})
    both = ConfigDocument("c.ini", document.headings + own.headings, document.entries + own.entries)
    found, problems = read_configuration(both, AROUND, WITH_TIERS)
    assert problems == ()
    assert [route.route for route in found.routes] == ["main"]
    assert found.named(MadeUpTier)["ssd"].client in found.clients


def test_a_client_of_the_mover_may_serve_without_any_route():
    document, own = a_document(), document_of(SHELF_ssd={"client": "SOURCE_CLIENT", "disk": "/ssd"})
    kept = {"SOURCE_CLIENT"}
    both = ConfigDocument(
        "c.ini",
        tuple(heading for heading in document.headings if heading[0] in kept) + own.headings,
        tuple(entry for entry in document.entries if entry.section in kept) + own.entries,
    )
    found, problems = read_configuration(both, AROUND, WITH_TIERS)
    assert problems == ()
    assert found.routes == ()
    assert list(found.clients) == ["SOURCE_CLIENT"]


@pytest.mark.parametrize(
    ("change", "key", "says", "remedy"),
    [
        ({"min_age": "soon"}, "min_age", "duration", "Write for example: min_age = 10m"),
        ({"min_aeg": "1h"}, "min_aeg", "no such key", "Did you mean min_age?"),
        ({"disk": None}, "disk", "it is missing", "Add under [SHELF ssd]: disk = /path/to/ssd"),
        ({"disk": "/path/to/ssd"}, "disk", "placeholder", "Put your own value there: path of the fast disk."),
        ({"client": "boxx"}, "client", "there is no [CLIENT boxx]", "Did you mean box?"),
        ({"destination_path": "/x"}, "destination_path", "wrong section", "Move it to [ROUTE name]."),
        ({"nonsense": "x"}, "nonsense", "no such key", "The keys here are client, disk, min_age, eager."),
    ],
)
def test_what_is_wrong_is_told_with_place_and_remedy(change, key, says, remedy):
    found, problems = read(CLIENT_box=CLIENT, SHELF_ssd={"client": "box", "disk": "/ssd"} | change)
    assert found is None
    (problem,) = [each for each in problems if each.severity is Severity.ERROR]
    assert (problem.section, problem.key) == ("SHELF ssd", key)
    assert says in problem.what
    assert remedy in problem.remedy
    assert problem.line


def test_its_own_checks_are_asked():
    _, problems = read(
        CLIENT_box=CLIENT, SHELF_a={"client": "box", "disk": "/ssd"}, SHELF_b={"client": "box", "disk": "/ssd"}
    )
    assert [str(problem) for problem in problems] == [
        "c.ini:11: error: [SHELF b] disk: [SHELF a] (c.ini:8) has it too. Choose another disk."
    ]


@dataclass(frozen=True)
class MadeUpFinding:
    key: str
    what: str
    remedy: str
    warning: bool


def not_eager_and_old(tier):
    """A check of the duty that looks at one tier, as its dataclass."""
    if tier.eager and tier.min_age:
        yield MadeUpFinding("min_age", "eager = yes is set too.", "Remove one of the two.", warning=tier.min_age < 60)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (
            {"eager": "yes", "min_age": "1h"},
            ["c.ini:10: error: [SHELF a] min_age: eager = yes is set too. Remove one of the two."],
        ),
        (
            {"eager": "yes", "min_age": "5s"},
            ["c.ini:10: warning: [SHELF a] min_age: eager = yes is set too. Remove one of the two."],
        ),
        ({"eager": "no", "min_age": "1h"}, []),
        ({"eager": "maybe", "min_age": "1h"}, ["'maybe' is not yes or no"]),
    ],
)
def test_checks_of_one_section_see_its_dataclass(keys, told):
    schema = SCHEMA.adding(many("SHELF", MadeUpTier, of_each(not_eager_and_old)))
    document = document_of(CLIENT_box=CLIENT, SHELF_a={"client": "box", "disk": "/ssd"} | keys)
    found, problems = read_configuration(document, AROUND, schema)
    assert len(problems) == len(told)
    assert all(text in str(problem) for text, problem in zip(told, problems, strict=True))
    assert (found is None) is any("warning" not in text for text in told)


def test_a_client_with_a_name_has_every_key_of_the_client_sections():
    assert set(SOURCE_CLIENT.keys) | set(DESTINATION_CLIENT.keys) <= set(CLIENTS.keys)


@pytest.mark.parametrize(("heading", "error"), [("DOOR", ""), ("DOOR x", "this section has no name. Write [DOOR].")])
def test_a_section_that_a_file_has_once_takes_no_name(heading, error):
    schema = SCHEMA.adding(many("DOOR", MadeUpTier, nameless=True))
    document = document_of(CLIENT_box=CLIENT, **{heading.replace(" ", "_"): {"client": "box", "disk": "/ssd"}})
    found, problems = read_configuration(document, AROUND, schema)
    assert [f"{problem.what} {problem.remedy}" for problem in problems] == ([error] if error else [])
    assert found is None or list(found.named(MadeUpTier)) == ["default"]
    assert "[DOOR]" in template(schema)


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUpHealth:
    """Looks after several clients."""

    clients: Annotated[
        tuple[str, ...], Key(replace(WORDS, names="CLIENT"), "The clients that it looks after.", blank="all")
    ] = ()


@pytest.mark.parametrize(("said", "wrong"), [("BOX nas", ""), ("box nsa", "there is no [CLIENT nsa]"), ("", "")])
def test_a_key_may_name_several_sections(said, wrong):
    schema = SCHEMA.adding(many("CARE", MadeUpHealth))
    nas = CLIENT | {"host": "http://nas.lan"}
    document = document_of(CLIENT_box=CLIENT, CLIENT_nas=nas, CARE_tv={"clients": said})
    found, problems = read_configuration(document, AROUND, schema)
    errors = [problem.what for problem in problems if problem.severity is Severity.ERROR]
    assert [wrong in what for what in errors] == ([True] if wrong else [])
    if found:
        assert found.named(MadeUpHealth)["tv"].clients == (("box", "nas") if said else ())


def test_a_misspelt_word_names_the_right_one():
    _, problems = read(CLIENT_box=CLIENT, SHLEF_ssd={"client": "box"})
    assert "Did you mean [SHELF ssd]?" in [problem.remedy for problem in problems]


def test_template_and_reference_follow():
    made, reference = template(WITH_TIERS), reference_markdown(WITH_TIERS)
    assert "# A fast disk in front of a slow one.\n#[SHELF name]\n" in made
    assert "\n# Copy a torrent only when it is this old.\n#min_age = 10m\n" in made
    assert "## [SHELF name]\n\nA fast disk in front of a slow one.\n" in reference
    assert "| `min_age` | seconds, or a time such as 30s, 5m, 1h30m, 2d | `10m` | Copy a torrent only" in reference
    assert "SHELF" not in template(SCHEMA) + reference_markdown(SCHEMA)
