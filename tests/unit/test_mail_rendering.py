import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from typing_extensions import override

from adapters.mail_rendering import MailContent, RenderedMail, grouped, one_line, render
from adapters.mail_template import TEMPLATES, MailContentError
from domain.mail import CODES, MailKind

NOW = datetime(2026, 11, 22, 14, 5, 30, tzinfo=UTC)
LINK = "https://gatepass.example/s/abcdefghijklmnopqrstuvwxyz012345?a=1&b=2"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
CONSOLE = "https://gatepass.example/console/public-sessions/01990000"
EVERY_KIND = list(MailKind)
OF_SESSIONS = [each for each in MailKind if not each.to_member]
OF_MEMBERS = [each for each in MailKind if each.to_member]
WITH_LINK = [
    MailKind.MEMBER_INVITATION,
    MailKind.MEMBER_PASSWORD_RESET,
    MailKind.MEMBER_ACCOUNT_DELETION,
]
TO_A_PAGE = [MailKind.MEMBER_NEW_DEVICE]
"""With an address that opens nothing: one signs in there first."""
LANGUAGES = ["en", "de"]


def content(kind: MailKind, **changes: Any) -> MailContent:
    """What a mail of a kind is given, with the parts its kind needs."""
    given: dict[str, Any] = {
        "workspace_name": "Acme",
        "party_name": "Anna Weber",
        "session_title": "Vendor intake",
        "public_session_id": "01990000",
        "written_at": NOW,
        "subject": "PO 4711",
        "tasks_total": 4,
        "tasks_done": 1,
        "expires_at": datetime(2026, 12, 6, 14, 5, tzinfo=UTC),
        "contact": "help@acme.test",
    }
    if kind.to_member:
        given |= {"member_name": "Anna Weber", "member_email": "anna@acme.test"}
        has_link = kind in [*WITH_LINK, *TO_A_PAGE]
        given |= {"happened_at": NOW, "link": LINK if has_link else None}
    elif kind in CODES:
        given |= {"document_title": "Contract after Vendor intake"}
        given |= {"code": "48210937", "code_expires_at": NOW + timedelta(minutes=10)}
    elif kind.to_issuer:
        given |= {"console_link": CONSOLE, "reason": "No time", "party_email": "anna@weber.test"}
    else:
        given |= {"link": LINK, "message": "We chose\nanother vendor."}
    return MailContent(**given | changes)


class Seen(HTMLParser):
    """The elements and words of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    @override
    def handle_data(self, data: str) -> None:
        self.words += data

    def addresses(self) -> list[str | None]:
        """Everything a mail program would load or could open."""
        names = ("href", "src", "background", "action")
        return [attrs[name] for _, attrs in self.tags for name in names if name in attrs]


def rendered(kind: MailKind, **changes: Any) -> RenderedMail:
    return render(kind, content(kind, **changes))


def test_every_kind_has_its_folder_and_every_folder_its_kind() -> None:
    folders = {each.name for each in TEMPLATES.iterdir() if each.is_dir()} - {"shared"}
    assert folders == set(MailKind)


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("kind", OF_SESSIONS)
def test_says_from_whom_and_about_what(kind: MailKind, locale: str) -> None:
    mail = rendered(kind, locale=locale)
    page = Seen(mail.html)
    assert mail.language == locale
    for said in (mail.text, page.words):
        assert "Acme" in said
        assert "Vendor intake" in said
        assert "01990000" in said
    assert ("html", locale) in [(tag, attrs.get("lang")) for tag, attrs in page.tags]


def test_a_subject_that_is_the_title_is_said_once() -> None:
    mail = render(MailKind.ISSUER_COMPLETED, content(MailKind.ISSUER_COMPLETED, subject="PO 4711"))
    assert '"Vendor intake: PO 4711"' in " ".join(mail.text.split())
    once = content(MailKind.ISSUER_COMPLETED, subject="Vendor intake")
    assert '"Vendor intake"' in render(MailKind.ISSUER_COMPLETED, once).text


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("kind", OF_MEMBERS)
def test_a_member_reads_whose_account_it_is_about(kind: MailKind, locale: str) -> None:
    mail = rendered(kind, locale=locale)
    assert mail.language == locale
    for said in (mail.text, Seen(mail.html).words):
        assert "Anna Weber" in said
        assert "Acme" in said
        assert "01990000" not in said


@pytest.mark.parametrize("kind", WITH_LINK)
@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en", "until Sunday, 6 December 2026, 14:05 UTC (13:23:59 left, days:hours:minutes)"),
        (
            "de",
            "bis Sonntag, 6. Dezember 2026, 14:05 Uhr UTC (noch 13:23:59, Tage:Stunden:Minuten)",
        ),
    ],
)
def test_a_link_to_a_member_says_how_long_it_is_good(
    kind: MailKind, locale: str, said: str
) -> None:
    # SH-15
    mail = rendered(kind, locale=locale)
    assert said in " ".join(mail.text.split())
    assert said in " ".join(Seen(mail.html).words.split())


def test_the_mails_of_sh_15_are_known_by_their_names() -> None:
    assert rendered(MailKind.MEMBER_INVITATION).subject == "Account Activation: Acme"
    assert rendered(MailKind.MEMBER_PASSWORD_RESET).subject == "Reset Account Password: Acme"


@pytest.mark.parametrize(
    "kind", [each for each in OF_MEMBERS if each not in [*WITH_LINK, *TO_A_PAGE]]
)
def test_a_notice_has_no_link_that_could_be_imitated(kind: MailKind) -> None:
    mail = rendered(kind)
    assert "http" not in mail.text
    assert Seen(mail.html).addresses() == []


@pytest.mark.parametrize("kind", [MailKind.INVITATION, MailKind.REMINDER, *WITH_LINK, *TO_A_PAGE])
def test_the_link_stands_on_a_line_of_its_own_and_behind_one_button(kind: MailKind) -> None:
    mail = rendered(kind)
    assert LINK in mail.text.splitlines()
    page = Seen(mail.html)
    assert page.addresses() == [LINK, LINK]
    assert LINK in page.words


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"browser": FIREFOX}, "with Firefox on Windows."),
        ({"browser": FIREFOX, "locale": "de"}, ": Firefox auf Windows."),
        ({"browser": "Firefox/140.0"}, "with Firefox."),
        ({"browser": "evil.example"}, "with a browser that does not say which."),
        ({"browser": FIREFOX, "is_program": True}, "with a program."),
    ],
)
def test_a_sign_in_from_elsewhere_says_where_and_when(changes: dict[str, Any], said: str) -> None:
    # ASVS 6.3.5; what a browser calls itself is shown to nobody as it is
    mail = rendered(MailKind.MEMBER_NEW_DEVICE, **changes)
    when = "22. November 2026, 14:05 Uhr UTC" if "locale" in changes else "22 November 2026, 14:05"
    for words in (" ".join(mail.text.split()), " ".join(Seen(mail.html).words.split())):
        assert said in words
        assert when in words
        assert "evil.example" not in words


@pytest.mark.parametrize("kind", [MailKind.INVITATION, MailKind.REMINDER])
def test_the_deadline_is_said_with_its_zone_and_as_what_is_left(kind: MailKind) -> None:
    """SH-15, lesson 29."""
    said = "Open until Sunday, 6 December 2026, 14:05 UTC (13:23:59 left, days:hours:minutes)."
    mail = rendered(kind)
    assert said in " ".join(mail.text.split())
    assert said in " ".join(Seen(mail.html).words.split())


def test_the_deadline_follows_the_zone() -> None:
    said = "Sunday, 6 December 2026, 15:05 (Europe/Berlin, UTC+01:00)"
    assert said in " ".join(rendered(MailKind.INVITATION, zone="Europe/Berlin").text.split())


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("kind", CODES)
def test_the_mail_of_a_code_has_no_link(kind: MailKind, locale: str) -> None:
    """C11, N1: whoever opens every link of a mail for a person finds none here."""
    names = {"party_name": "see https://evil.test/x", "workspace_name": "HTTP://evil.test"}
    mail = rendered(kind, locale=locale, document_title="https://evil.test/y", **names)
    assert "http" not in f"{mail.subject} {mail.text}".lower()
    assert Seen(mail.html).addresses() == []
    assert "http" not in Seen(mail.html).words.lower()


@pytest.mark.parametrize("kind", CODES)
def test_the_code_is_shown_in_two_halves_and_not_in_the_subject(kind: MailKind) -> None:
    mail = rendered(kind)
    assert "    4821 0937" in mail.text.splitlines()
    assert "4821 0937" in Seen(mail.html).words
    assert "4821" not in mail.subject
    assert [grouped(each) for each in ("123456", "1234567")] == ["123 456", "1234 567"]


@pytest.mark.parametrize("kind", CODES)
def test_a_code_never_travels_with_a_link(kind: MailKind) -> None:
    """C11."""
    for field in ("link", "console_link"):
        with pytest.raises(MailContentError, match="never travels with a link"):
            rendered(kind, **{field: LINK})


@pytest.mark.parametrize(
    ("locale", "subject", "said"),
    [
        (
            "en",
            "Your code for a signature: Acme",
            (
                'is about to sign "Supply agreement" from Acme in the name of Anna Weber',
                "Nothing is signed without it.",
                "It was not you? Then give the code to nobody.",
                "tell Acme, and change the password of your mailbox.",
            ),
        ),
        (
            "de",
            "Ihr Code für eine Unterschrift: Acme",
            (
                "will „Supply agreement“ von Acme im Namen von Anna Weber unterschreiben",
                "Ohne ihn wird nichts unterschrieben.",
                "Das waren nicht Sie? Dann geben Sie den Code niemandem.",
                "Sagen Sie Acme Bescheid und ändern Sie das Passwort Ihres Postfachs.",
            ),
        ),
    ],
)
def test_a_code_to_sign_with_says_that_it_signs(
    locale: str, subject: str, said: tuple[str, ...]
) -> None:
    mail = rendered(MailKind.SIGNING_CODE, locale=locale, document_title="Supply agreement")
    assert mail.subject == subject
    for words in (" ".join(mail.text.split()), " ".join(Seen(mail.html).words.split())):
        assert [each for each in said if each not in words] == []
        assert "is opening" not in words


@pytest.mark.parametrize("kind", [each for each in EVERY_KIND if each not in CODES])
def test_only_the_mail_of_a_code_shows_one(kind: MailKind) -> None:
    mail = rendered(kind, code="48210937")
    assert "4821" not in mail.text + mail.html


@pytest.mark.parametrize(
    ("kind", "lacking"),
    [
        (MailKind.INVITATION, "link"),
        (MailKind.REMINDER, "expires_at"),
        (MailKind.CODE, "code"),
        (MailKind.SIGNING_CODE, "document_title"),
        (MailKind.EXPIRED, "expires_at"),
    ],
)
def test_what_a_kind_must_say_is_asked_for(kind: MailKind, lacking: str) -> None:
    with pytest.raises(MailContentError, match=lacking):
        rendered(kind, **{lacking: None})


@pytest.mark.parametrize("link", ["/s/abc", "javascript:alert(1)", "ftp://x/y"])
def test_a_link_is_absolute_and_of_the_web(link: str) -> None:
    with pytest.raises(MailContentError, match="absolute"):
        rendered(MailKind.INVITATION, link=link)


HOSTILE = "<script>alert(1)</script>\r\nBcc: x@evil.test\x00\u202e{{ 7*7 }}%(x)s \"'&--></mj-text>"


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_words_of_others_never_become_markup_or_headers(kind: MailKind) -> None:
    names = ("workspace_name", "party_name", "session_title", "subject", "member_name")
    words = dict.fromkeys(names, HOSTILE)
    longer = dict.fromkeys(("message", "reason", "contact", "party_email"), HOSTILE)
    plain, mail = rendered(kind, reason="x", message="x"), rendered(kind, **words, **longer)
    assert mail.subject.isprintable()
    assert "\u202e" not in mail.text
    page = Seen(mail.html)
    assert "script" not in {tag for tag, _ in page.tags}
    quoted = {"br"}  # a message of two lines has one more
    assert [tag for tag, _ in page.tags if tag not in quoted] == [
        tag for tag, _ in Seen(plain.html).tags if tag not in quoted
    ]
    assert "<script>alert(1)</script>" in page.words
    assert "{{ 7*7 }}%(x)s" in mail.text


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_nothing_is_loaded_from_anywhere(kind: MailKind) -> None:
    html = rendered(kind).html
    tags = {tag for tag, _ in Seen(html).tags}
    assert not tags & {"img", "link", "iframe", "object", "video"}
    assert not re.search(r"@import|url\(", html)


def test_dark_mode_and_small_screens_are_kept() -> None:
    html = rendered(MailKind.INVITATION).html
    assert "prefers-color-scheme: dark" in html
    assert "min-width:480px" in html


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_long_names_leave_the_subject_short(kind: MailKind) -> None:
    """Lesson 26: short, neutral subjects."""
    long = "Extraordinarily " * 20
    names = dict.fromkeys(("workspace_name", "party_name", "member_name"), long)
    mail = rendered(kind, session_title="X" * 300, **names)
    assert len(mail.subject) <= 150
    assert max(len(line) for line in mail.text.splitlines() if "X" * 50 not in line) <= 76


def test_the_message_of_an_administrator_is_quoted_when_there_is_one() -> None:
    with_message = rendered(MailKind.REVOKED)
    assert "> We chose\n> another vendor." in with_message.text
    assert "We chose" in Seen(with_message.html).words
    assert "writes:" not in rendered(MailKind.REVOKED, message=None).text


def test_a_long_message_stays_quoted_on_every_line() -> None:
    text = rendered(MailKind.REVOKED, message="word " * 100).text
    assert all(line.startswith("> ") for line in text.splitlines() if line.count("word") > 1)


def test_reminders_say_that_they_stop() -> None:
    assert "three at most" in " ".join(rendered(MailKind.REMINDER).text.split())


def test_the_expired_mail_says_how_to_get_a_new_one() -> None:
    """Lesson 29."""
    assert "Write to help@acme.test" in " ".join(rendered(MailKind.EXPIRED).text.split())
    without = " ".join(rendered(MailKind.EXPIRED, contact=None).text.split())
    assert "Ask the person at Acme you are in touch with for a new one" in without


def test_optional_words_may_be_absent_everywhere() -> None:
    for kind in MailKind:
        names = ("subject", "message", "reason", "contact", "party_email", "console_link")
        mail = rendered(kind, **dict.fromkeys(names))
        assert "None" not in mail.text + Seen(mail.html).words


def test_an_unknown_language_is_answered_in_english() -> None:
    assert rendered(MailKind.INVITATION, locale="xx-YY").language == "en"
    assert rendered(MailKind.INVITATION, locale="de-AT").language == "de"


def test_one_line_cuts_whole_words_and_single_long_ones() -> None:
    assert one_line("a\tb\u2028c\r\nd") == "a b c d"
    assert one_line("abcdef", 4) == "abc…"
    assert one_line("abcd", 4) == "abcd"
