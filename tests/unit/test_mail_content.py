"""What administrators may write into a mail, and what becomes of it (SH-16, SH-17)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters import mail_template
from adapters.languages import available
from adapters.mail_default import default_text
from adapters.mail_rendering import RenderedMail, render
from domain.mail import MailKind
from domain.mail_content import (
    ALLOWED,
    REQUIRED,
    VARIABLES,
    Line,
    MailText,
    Wording,
    faults_of,
    filled,
)
from tests.rooms.mail_defaults import newer_default
from tests.unit.test_mail_rendering import HOSTILE, LINK, Seen, content

GOOD = MailText(
    "Come in, {{ member_name }}",
    "Dear {{member_name}},\n\nhere it is:\n{{ link }}\n\nGood for {{ left }}.\n",
)


def own(kind: MailKind, body: str, subject: str = "Hello", **changes: object) -> RenderedMail:
    return render(kind, content(kind, **changes), Wording(own=MailText(subject, body)))


def messages(kind: MailKind, text: MailText) -> list[str]:
    return [f"{each.pointer} {each.message}" for each in faults_of(kind, text)]


# What may be written.


def test_every_kind_says_which_variables_it_has() -> None:
    assert set(ALLOWED) == set(MailKind)
    assert {each for names in ALLOWED.values() for each in names} == set(VARIABLES)
    assert all(set(REQUIRED[kind]) <= set(ALLOWED[kind]) for kind in REQUIRED)


def test_a_good_text_has_no_faults() -> None:
    assert messages(MailKind.MEMBER_INVITATION, GOOD) == []


@pytest.mark.parametrize("language", available())
@pytest.mark.parametrize("kind", MailKind)
def test_every_default_may_be_saved_as_it_is(kind: MailKind, language: str) -> None:
    text = default_text(kind, 1, language)
    assert messages(kind, text) == []
    assert "-- " not in text.body
    assert "None" not in text.body


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("{{ link }} {{ left }}", "/body must have {{ link }} on a line of its own"),
        ("{{ link }}", "/body must have {{ left }}"),
        ("{{ left }}", "/body must have {{ link }}"),
        ("{{ link }}\n{{ left }} {{ code }}", "/body has no variable {{ code }}"),
        ("{{ link }}\n{{ left }} {{ 7*7 }}", "/body may have variables"),
        ("{{ link }}\n{{ left }} {% if x %}", "/body may have variables"),
        ("{{ link }}\n{{ left }} {{ link.__class__ }}", "/body may have variables"),
        ("{{ link }}\n{{ left }}\0", "/body holds a character that cannot be stored"),
        ("{{ link }}\n{{ left }}" + "x" * 10_000, "/body must have 1 to 10000 characters"),
    ],
)
def test_faults_are_named(body: str, fault: str) -> None:
    found = messages(MailKind.MEMBER_INVITATION, MailText("Hello", body))
    assert len(found) == 1
    assert found[0].startswith(fault)


def test_a_fault_tells_a_page_what_it_is_and_of_which_variable() -> None:
    text = MailText("{{ link }}\n{{ code }}", "{{ code }} {{")
    found = [(each.flaw.value, each.variable) for each in faults_of(MailKind.INVITATION, text)]
    assert found == [
        ("lines", ""),
        ("unknown", "link"),
        ("unknown", "code"),
        ("unknown", "code"),
        ("syntax", ""),
        ("lacking", "link"),
        ("lacking", "expires_at"),
    ]


@pytest.mark.parametrize(
    ("subject", "fault"),
    [
        (" ", "must have 1 to 150 characters"),
        ("x" * 151, "must have 1 to 150 characters"),
        ("Hello\r\nBcc: x@evil.test", "must be one line"),
        ("Open {{ link }}", "has no variable {{ link }}"),
    ],
)
def test_a_subject_is_one_short_line_and_tells_no_secret(subject: str, fault: str) -> None:
    found = messages(MailKind.MEMBER_INVITATION, MailText(subject, GOOD.body))
    assert len(found) == 1
    assert found[0].startswith(f"/subject {fault}")


@pytest.mark.parametrize(
    "words",
    [
        "https://evil.test",
        "HTTP://evil",
        "//evil.test/x",
        "www.evil",
        "evil.test",
        "evil.{{ party_name }}",
        "{{ party_name }}.com",
        "ｅｖｉｌ．ｔｅｓｔ",
        "evil。test",
        "write to help@acme",
    ],
)
def test_the_mail_of_a_code_can_never_get_a_link(words: str) -> None:
    # C11
    fault = "must have no link and no address: a code never travels with one"
    assert messages(MailKind.CODE, MailText("Code", "{{ code }}\n" + words)) == [f"/body {fault}"]
    assert messages(MailKind.CODE, MailText(words, "{{ code }}")) == [f"/subject {fault}"]
    (named,) = messages(MailKind.CODE, MailText("Code", "{{ code }}\n{{ link }}"))
    assert named.startswith("/body has no variable {{ link }}")


def test_a_code_stays_out_of_its_subject() -> None:
    (fault,) = messages(MailKind.CODE, MailText("{{ code }}", "{{ code }}"))
    assert fault.startswith("/subject has no variable {{ code }}")


# What becomes of it.


def test_variables_are_replaced_once() -> None:
    lines = filled("Hello {{ a }} and {{b}}.", {"a": "{{ b }}", "b": "Ben"})
    assert lines == [Line("Hello {{ b }} and Ben.")]


def test_a_line_without_a_value_is_left_out_with_what_leads_to_it() -> None:
    written = "Hello\n\nThey write:\n\n> {{ message }}\n\nWrite to {{ contact }}.\nBye {{ x }}"
    assert filled(written, {"x": "Ann"}) == [Line("Hello"), Line(""), Line(""), Line("Bye Ann")]


def test_a_value_of_several_lines_stays_quoted() -> None:
    quoted = [Line("one", is_quoted=True), Line("two", is_quoted=True)]
    assert filled("> {{ message }}", {"message": "one\ntwo"}) == quoted


def test_text_and_html_say_the_same_and_the_frame_stays_ours() -> None:
    mail = render(
        MailKind.MEMBER_INVITATION, content(MailKind.MEMBER_INVITATION), Wording(own=GOOD)
    )
    page = Seen(mail.html)
    assert mail.subject == "Come in, Anna Weber"
    assert LINK in mail.text.splitlines()
    assert page.addresses() == [LINK, LINK]
    for said in (mail.text, page.words):
        assert "Dear Anna Weber," in said
        assert "Good for 13:23:59." in said
        assert "Sent by Gatepass" in said


def test_a_party_sees_the_reference_and_an_issuer_why_it_is_told() -> None:
    assert "Reference: 01990000" in own(MailKind.COMPLETED, "Thanks.").text
    assert "because you issued" in own(MailKind.ISSUER_COMPLETED, "It is done.").html


def test_a_receipt_without_its_proof_says_so_whatever_is_written() -> None:
    assert "no proof yet" not in own(MailKind.COMPLETED, "Thanks.").text
    late = own(MailKind.COMPLETED, "Thanks.", has_proof=False)
    for said in (late.text, Seen(late.html).words):
        assert "no proof yet" in " ".join(said.split())


def test_the_code_stands_out_and_nothing_leads_anywhere() -> None:
    # C11
    mail = own(MailKind.CODE, "Your code:\n{{ code }}\n", party_name="see https://evil.test/x")
    assert "4821 0937" in mail.text.splitlines()
    assert Seen(mail.html).addresses() == []
    assert "http" not in f"{mail.text}{Seen(mail.html).words}"


@pytest.mark.parametrize("kind", [MailKind.REVOKED, MailKind.ISSUER_DECLINED])
def test_nothing_that_anybody_wrote_is_executed(kind: MailKind) -> None:
    quoted = "message" if kind is MailKind.REVOKED else "reason"
    body = f"<b>Hello</b> {{{{ party_name }}}}\n> {{{{ {quoted} }}}}\n{{# no #}}"
    mail = own(kind, body, "Of {{ party_name }}", **{quoted: HOSTILE, "party_name": HOSTILE})
    page = Seen(mail.html)
    assert not {"script", "b"} & {tag for tag, _ in page.tags}
    assert "<b>Hello</b>" in page.words
    assert "{{ 7*7 }}%(x)s" in mail.text
    assert "{{ 7*7 }}%(x)s" in page.words
    assert "49" not in mail.text
    assert "\n" not in mail.subject


def test_a_link_that_a_party_calls_itself_is_no_button() -> None:
    mail = own(MailKind.INVITATION, "{{ party_name }}\n{{ link }}", party_name="{{ link }}")
    assert mail.text.startswith("{{ link }}\n")
    assert Seen(mail.html).addresses() == [LINK, LINK]


# Versions of the default.


@pytest.fixture
def two_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The mails' folder with a newer text of one mail."""
    body = "Over since {{ when(expires_at, zone, locale) }}."
    with newer_default(tmp_path, monkeypatch, MailKind.EXPIRED, body=body, subject="Over"):
        yield


def test_a_version_of_a_default_keeps_its_words(two_versions: None) -> None:
    # C19
    given = content(MailKind.EXPIRED)
    assert mail_template.newest_versions()["expired"] == 2
    assert mail_template.newest_versions()["code"] == 1
    assert render(MailKind.EXPIRED, given).subject.startswith("Time is over")
    assert render(MailKind.EXPIRED, given, Wording(2)).subject == "Over"
    assert default_text(MailKind.EXPIRED, 2, "en").body == "Over since {{ expires_at }}.\n"


def test_a_version_that_only_a_newer_release_has_is_read_as_our_newest(
    two_versions: None,
) -> None:
    assert render(MailKind.EXPIRED, content(MailKind.EXPIRED), Wording(3)).subject == "Over"
