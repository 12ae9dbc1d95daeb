"""One enum or folder each, and code, templates, docs and diagrams agree with it."""

import re
from dataclasses import fields
from enum import StrEnum

import pytest

from domain.audit import AuditEvent
from domain.definition import DefinitionStatus
from domain.mail import MailKind, MailState
from domain.member import MemberState
from domain.member_session import MemberSessionEnd
from domain.public_session import TRANSITIONS, Advance, Status
from domain.settings import Settings
from domain.task import TaskState
from tests.architecture.product import ROOT, files, text

USERS = ("commands", "api", "activities", "adapters", "store", "workflows")


@pytest.mark.parametrize("event", AuditEvent)
def test_each_audit_event_is_used(event: AuditEvent) -> None:
    assert re.search(rf"\bAuditEvent\.{event.name}\b", text(*USERS)), f"nobody writes {event}"


def test_audit_events_keep_their_grammar() -> None:
    # `noun.past_participle`
    for event in AuditEvent:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*", event.value), event


def test_each_mail_has_its_folder_and_each_folder_its_mail() -> None:
    folders = {path.name for path in (ROOT / "email_templates").iterdir() if path.is_dir()}
    assert folders - {"shared"} == {each.value for each in MailKind}
    for kind in MailKind:
        parts = {path.name for path in (ROOT / "email_templates" / kind.value).iterdir()}
        assert parts >= {"subject.txt", "body.txt", "body.mjml"}, kind


@pytest.mark.parametrize("kind", MailKind)
def test_each_mail_is_asked_for_somewhere(kind: MailKind) -> None:
    assert re.search(rf"\bMailKind\.{kind.name}\b", text("commands")), f"nobody asks for {kind}"


@pytest.mark.parametrize("name", [each.name for each in fields(Settings)])
def test_each_setting_is_read_somewhere(name: str) -> None:
    # The first words of a setting are the catalogue's; a program reads it as an attribute.
    source = "\n".join(
        path.read_text() for path in files() if path.name != "settings.py" or "api" in path.parts
    )
    assert re.search(rf"\.{name}\b|{name}=", source), f"changing {name} changes nothing"


def diagrams() -> dict[str, str]:
    """Each state diagram of the architecture, by the heading it stands under."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    found: dict[str, str] = {}
    for section in re.split(r"^#+ ", page, flags=re.MULTILINE):
        heading, _, rest = section.partition("\n")
        for block in re.findall(r"```mermaid\s+stateDiagram-v2\n(.*?)```", rest, re.DOTALL):
            assert heading not in found, f"two state diagrams under {heading!r}"
            found[heading] = block
    return found


def arrows(diagram: str) -> set[tuple[str, str]]:
    """What leads to what; the round start and end are left out."""
    found = re.findall(r"^\s*(\w+) --> (\w+)", diagram, re.MULTILINE)
    return {(old, new) for old, new in found}


def states(diagram: str) -> set[str]:
    return set(re.findall(r"\b(?!stateDiagram)([a-z_]+)\b", re.sub(r":.*", "", diagram)))


def test_the_diagram_of_a_public_session_is_its_transitions() -> None:
    drawn = arrows(diagrams()["Public session"])
    assert drawn == {(old.value, new.value) for old, new in TRANSITIONS}


@pytest.mark.parametrize(
    ("heading", "vocabulary"),
    [
        ("Public session", Status),
        ("Task", TaskState),
        ("Mail", MailState),
        ("Member", MemberState),
        ("Session template", DefinitionStatus),
        ("Advance", Advance),
    ],
)
def test_a_diagram_has_exactly_the_words_of_its_enum(
    heading: str, vocabulary: type[StrEnum]
) -> None:
    assert states(diagrams()[heading]) == {each.value for each in vocabulary}


def test_the_diagram_of_a_member_session_has_every_end() -> None:
    ends = {each.value for each in MemberSessionEnd}
    assert arrows(diagrams()["Member session"]) == {("living", each) for each in ends}
