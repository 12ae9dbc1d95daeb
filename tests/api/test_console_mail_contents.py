"""Email Content: the mails' words on pages, written, looked at and reset (SH-16, SH-17, C19)."""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from httpx2 import Response

from adapters.languages import available
from api.browser import POLICY
from commands.mail_content import MailPlace, change_mail_content, show_mail_content
from domain.actor import OPERATOR
from domain.mail import MailKind
from domain.mail_content import ALLOWED, VARIABLES, MailText
from store.access import PageVisitRow
from store.audit import AuditRow
from store.mail_content import MailContentRow
from store.workspace import workspace_by_id
from tests.api.members import BEN, Console, open_console
from tests.rooms.mail_defaults import newer_default
from tests.rooms.member_browser import MemberBrowser
from tests.rooms.party_browser import words
from tests.unit.test_mail_rendering import Seen

PATH = "/settings/mail-contents"
HERE = f"{PATH}/member_invitation/en"
OWN = MailText("Welcome, {{ member_name }}", "Dear you,\n\n{{ link }}\nFor {{ left }}.\n")
OTHER = MailText("Come in", "{{ link }}\nOnly {{ left }}.\n")
EDITION = re.compile(r'name="edition" value="([0-9a-f]{32})"')
SOURCE = re.compile(r'<iframe [^>]*srcdoc="([^"]*)"')
STYLE = re.compile(r'style="([^"]+)"')


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    async with open_console(database_url) as console:
        yield console


def place(console: Console, mail: MailKind = MailKind.MEMBER_INVITATION) -> MailPlace:
    return MailPlace(console.house.workspace_id, mail, "en")


async def written(console: Console) -> MailText | None:
    """The workspace's own text, if it has one."""
    async with console.house.transactions.work() as work:
        found = await show_mail_content(work, place(console))
    return found.text if found.is_own else None


async def write(console: Console, text: MailText = OWN) -> None:
    """As somebody else does it."""
    async with console.house.transactions.work() as work:
        await change_mail_content(work, place(console), text, OPERATOR)


async def events(console: Console) -> list[tuple[str, str]]:
    rows = [each for each in await console.house.all(AuditRow) if "mail_content" in each.event]
    return [(each.event, each.actor_label) for each in rows]


def edition(page: Response) -> str:
    found = EDITION.search(page.text)
    assert found
    return found[1]


async def send(browser: MemberBrowser, text: MailText, **more: Any) -> Response:
    """Opens the form, and sends it with this text."""
    seen = more.pop("edition", None) or edition(await browser.get(f"{HERE}/edit"))
    fields = {"step": "save", "subject": text.subject, "body": text.body.replace("\n", "\r\n")}
    return await browser.post(f"{HERE}/edit", edition=seen, **(fields | more))


def typed(page: Response) -> MailText:
    """What is in the form."""
    subject = re.search(r'name="subject" value="([^"]*)"', page.text)
    body = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page.text, re.DOTALL)
    assert subject
    assert body
    return MailText(html.unescape(subject[1]), html.unescape(body[1]))


# Who may.


async def test_everybody_reads_and_administrators_write(console: Console) -> None:
    # SH-17, PS-41, EE-16
    async with console.signed_in(email=BEN) as ben:
        assert f"{ben.base}{PATH}" in (await ben.get()).text
        assert (await ben.get(PATH)).status_code == 200
        shown = await ben.get(HERE)
        assert shown.status_code == 200
        assert f"{HERE}/edit" not in shown.text
        denied = [
            await ben.get(f"{HERE}/edit"),
            await ben.get(f"{HERE}/reset"),
            await send(ben, OWN, edition="0" * 32),
            await send(ben, OWN, edition="0" * 32, step="preview"),
            await ben.post(f"{HERE}/reset", edition="0" * 32),
        ]
    for page in denied:
        assert page.status_code == 403
        assert "Access Denied : Email Content" in words(page)
    assert await written(console) is None
    visits = [each for each in await console.house.all(PageVisitRow) if each.page == PATH_NAME]
    assert [each.denied for each in visits] == [False, False, *[True] * 5]


PATH_NAME = "Email Content"


async def test_nobody_without_a_session_and_no_other_site(console: Console) -> None:
    async with console.browser() as stranger:
        assert (await stranger.get(PATH)).status_code == 303
        assert "Nothing was done" in words(await send(stranger, OWN, edition="0" * 32))
    async with console.signed_in() as anna:
        anna.party.sent = {"sec-fetch-site": "cross-site"}
        assert (await send(anna, OWN)).status_code == 403
    assert await written(console) is None


@pytest.mark.parametrize("there", ["nothing/en", "invitation/xx"])
@pytest.mark.parametrize("verb", ["", "/edit", "/reset"])
async def test_what_there_is_not_is_missing(console: Console, there: str, verb: str) -> None:
    async with console.signed_in() as anna:
        path = f"{PATH}/{there}{verb}"
        assert (await anna.get(path)).status_code == 404
        if verb:
            assert (await anna.post(path, edition="0" * 32, subject="a")).status_code == 404


# The list, and one mail.


async def test_the_list_has_every_mail_in_every_language(console: Console) -> None:
    # SH-16
    await write(console)
    async with console.signed_in() as anna:
        page = await anna.get(PATH)
    for kind in MailKind:
        for language in available():
            assert f'href="{anna.base}{PATH}/{kind}/{language}"' in page.text
        assert f">{kind}<" not in page.text, "a mail without a name"
    assert words(page).count("Default, version 1") == 2 * len(MailKind) - 1
    assert words(page).count("Own text") == 1
    assert "Newer default" not in words(page)


async def test_a_mail_says_what_counts_and_shows_it(console: Console) -> None:
    async with console.signed_in() as anna:
        before = await anna.get(HERE)
        await write(console)
        after = await anna.get(HERE)
    assert "Default, version 1 Nobody here has changed it." in words(before)
    assert "Account Activation: Demo Ltd" in words(before)
    assert "Reset to Default" not in words(before)
    assert "in place of version 1 of the default" in words(after)
    assert "Welcome, Anna Example" in words(after)
    assert "Reset to Default" in words(after)


@pytest.mark.parametrize("language", available())
async def test_every_mail_is_shown_and_edited(console: Console, language: str) -> None:
    async with console.signed_in() as anna:
        for kind in MailKind:
            shown = await anna.get(f"{PATH}/{kind}/{language}")
            form = html.unescape((await anna.get(f"{PATH}/{kind}/{language}/edit")).text)
            assert shown.status_code == 200
            for name, meaning in VARIABLES.items():
                line = f"<code>{{{{ {name} }}}}</code></dt>\n      <dd>{meaning}"
                assert (line in form) == (name in ALLOWED[kind]), (kind, name)


async def test_a_text_that_todays_rules_refuse_says_so(console: Console) -> None:
    async with console.house.transactions.work() as work:
        row = MailContentRow(
            workspace_id=console.house.workspace_id,
            kind=MailKind.MEMBER_INVITATION,
            language="en",
            subject="Old",
            body="It has no link",
            changed_at=work.at,
        )
        work.db.add(row)
    async with console.signed_in() as anna:
        page = await anna.get(HERE)
    assert "so the default is sent instead" in words(page)
    assert "Account Activation: Demo Ltd" in words(page)


# The mail in its frame.


async def test_a_preview_runs_nothing_and_has_its_own_styles_alone(console: Console) -> None:
    # SH-16: an empty sandbox, and no style but those of this mail
    hostile = MailText("<script>alert(1)</script>", f"<style>p{{}}</style>\n{OWN.body}")
    async with console.signed_in() as anna:
        page = await send(anna, hostile, step="preview")
        plain = await anna.get(f"{HERE}/edit")
    assert page.status_code == 200
    assert '<iframe class="mail-frame" sandbox title=' in page.text
    found = SOURCE.search(page.text)
    assert found
    source = html.unescape(found[1])
    assert "<script" not in page.text.replace('<script type="module"', "")
    assert "script" not in {tag for tag, _ in Seen(source).tags}
    policy = page.headers["content-security-policy"]
    assert "'unsafe-inline'" not in policy
    assert policy.count("'sha256-") == 1 + len(set(STYLE.findall(without_comments(source))))
    kept = re.sub(r"style-src [^;]*", "style-src 'self'", policy)
    assert kept == POLICY == plain.headers["content-security-policy"]


def without_comments(source: str) -> str:
    return re.sub(r"<!--.*?-->", "", source, flags=re.DOTALL)


async def test_a_preview_saves_nothing_and_keeps_what_was_typed(console: Console) -> None:
    async with console.signed_in() as anna:
        page = await send(anna, OWN, step="preview")
    assert "Welcome, Anna Example" in words(page)
    assert "For 13:05:30." in words(page)
    assert "For 13:05:30." in html.unescape(page.text)
    assert typed(page) == OWN
    assert await written(console) is None


# Writing.


async def test_a_text_is_saved_and_the_audit_says_who(console: Console) -> None:
    # SH-17
    async with console.signed_in() as anna:
        form = await anna.get(f"{HERE}/edit")
        async with console.house.transactions.work() as work:
            assert typed(form) == (await show_mail_content(work, place(console))).text
        saved = await anna.follow(await send(anna, OWN))
        assert "Saved. The next mail has this text." in words(saved)
        assert typed(await anna.get(f"{HERE}/edit")) == OWN
    assert await written(console) == OWN
    assert await events(console) == [("mail_content.changed", "Anna Berg")]


async def test_what_is_not_different_is_not_saved(console: Console) -> None:
    async with console.signed_in() as anna:
        page = await anna.follow(await send(anna, typed(await anna.get(f"{HERE}/edit"))))
    assert "Nothing is different, so nothing was saved." in words(page)
    assert await written(console) is None


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        (MailText("", OWN.body), "subject", "Subject: Write 1 to 150 characters. Now there are 0."),
        (MailText("x" * 151, OWN.body), "subject", "Now there are 151."),
        (MailText("a\nb", OWN.body), "subject", "Subject: Write it on one line."),
        (MailText("a\0b", OWN.body), "subject", "characters that cannot be kept"),
        (
            MailText("{{ link }}", OWN.body),
            "subject",
            "There is no variable {{ link }} here. There are: workspace_name, member_name.",
        ),
        (
            MailText("Hello", OWN.body + "{{ config }}"),
            "body",
            "Text: There is no variable {{ config }} here. There are: workspace_name, contact,"
            " member_name, member_email, link, expires_at, left.",
        ),
        (MailText("Hello", "{{ left }}"), "body", "Text: Name the variable {{ link }}:"),
        (MailText("Hello", "a {{ link }} {{ left }}"), "body", "Put {{ link }} on a line of its"),
        (MailText("Hello", OWN.body + "{% if x %}"), "body", "no other code is understood."),
        (MailText("Hello", OWN.body + "界" * 10_000), "body", "Write 1 to 10000 characters."),
    ],
)
@pytest.mark.parametrize("step", ["save", "preview"])
async def test_a_fault_names_its_field_and_nothing_typed_is_lost(
    console: Console, text: MailText, field: str, said: str, step: str
) -> None:
    # SH-16: also which variables there are
    async with console.signed_in() as anna:
        page = await send(anna, text, step=step)
    assert page.status_code == 422
    assert said in words(page)
    assert f'href="#{field}"' in page.text
    assert f'id="{field}-error"' in page.text
    assert page.text.count('aria-invalid="true"') == 1
    assert typed(page) == text
    assert await written(console) is None


async def test_a_code_gets_no_address(console: Console) -> None:
    # C11
    path = f"{PATH}/code/en/edit"
    async with console.signed_in() as anna:
        seen = edition(await anna.get(path))
        fields = {"edition": seen, "subject": "Code", "body": "{{ code }}\nwww.evil.test"}
        page = await anna.post(path, **fields)
    assert page.status_code == 422
    assert "Leave out links and addresses: a code never travels with one." in words(page)


async def test_the_longest_text_is_saved_whatever_its_letters_weigh(console: Console) -> None:
    text = MailText("界" * 150, OWN.body + "界" * (10_000 - len(OWN.body)))
    async with console.signed_in() as anna:
        assert (await send(anna, text)).status_code == 303
        too_large = await send(anna, MailText("Hello", "x" * 300_000))
    assert too_large.status_code == 413
    assert await written(console) == text


async def test_two_administrators_do_not_write_over_each_other(console: Console) -> None:
    # SH-17: the second is shown what counts now, and keeps what was typed
    async with console.signed_in() as anna:
        seen = edition(await anna.get(f"{HERE}/edit"))
        await write(console, OTHER)
        page = await send(anna, OWN, edition=seen)
        assert page.status_code == 409
        assert "somebody else has changed this mail meanwhile" in words(page)
        assert "Only {{ left }}." in words(page)
        assert typed(page) == OWN
        assert await written(console) == OTHER
        again = await send(anna, OWN, edition=edition(page))
        assert again.status_code == 303
    assert await written(console) == OWN


@pytest.mark.parametrize("seen", ["0" * 32, "x"])
async def test_a_form_that_says_not_what_was_read_writes_nothing(
    console: Console, seen: str
) -> None:
    async with console.signed_in() as anna:
        assert (await send(anna, OWN, edition=seen)).status_code == 409
        await write(console)
        assert (await anna.post(f"{HERE}/reset", edition=seen)).status_code == 409
    assert await written(console) == OWN


# Reset.


async def test_a_reset_shows_what_is_discarded_and_asks(console: Console) -> None:
    # SH-17
    await write(console)
    async with console.signed_in() as anna:
        page = await anna.get(f"{HERE}/reset")
        assert "This is discarded Subject Welcome, {{ member_name }}" in words(page)
        assert "Dear you," in words(page)
        assert "default, version 1 Subject Account Activation: {{ workspace" in words(page)
        assert await written(console) == OWN
        done = await anna.follow(await anna.post(f"{HERE}/reset", edition=edition(page)))
        assert "Reset to the default." in words(done)
        assert "Account Activation: Demo Ltd" in words(done)
        nothing = await anna.follow(await anna.get(f"{HERE}/reset"))
        assert "there is nothing to reset" in words(nothing)
    assert await written(console) is None
    assert (await events(console))[1:] == [("mail_content.reset", "Anna Berg")]


async def test_a_reset_discards_no_text_that_was_not_shown(console: Console) -> None:
    # SH-17
    await write(console)
    async with console.signed_in() as anna:
        seen = edition(await anna.get(f"{HERE}/reset"))
        await write(console, OTHER)
        page = await anna.post(f"{HERE}/reset", edition=seen)
        assert page.status_code == 409
        assert "Nothing was done: somebody else has changed this mail" in words(page)
        assert "Only {{ left }}." in words(page)
        assert await written(console) == OTHER
        await anna.post(f"{HERE}/reset", edition=edition(page))
    assert await written(console) is None


async def test_a_newer_default_is_told_and_waits_for_a_reset(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # C19, SH-16
    mail = MailKind.MEMBER_INVITATION
    with newer_default(tmp_path, monkeypatch, mail, subject="Newer words"):
        async with console.signed_in() as anna:
            listed = await anna.get(PATH)
            assert "There are newer defaults for 2 texts." in words(listed)
            shown = await anna.get(HERE)
            assert "A newer default exists: version 2." in words(shown)
            assert "Account Activation: Demo Ltd" in words(shown)
            asked = await anna.get(f"{HERE}/reset")
            assert "Now: the default, version 1" in words(asked)
            assert "default, version 2 Subject Newer words" in words(asked)
            done = await anna.follow(await anna.post(f"{HERE}/reset", edition=edition(asked)))
            assert "Default, version 2 Nobody here has changed it." in words(done)
            assert "A newer default exists" not in words(done)
            assert "There is a newer default for 1 text." in words(await anna.get(PATH))
    async with console.house.transactions.work() as work:
        pins = (await workspace_by_id(work.db, console.house.workspace_id)).mail_versions
    assert pins is not None
    assert (pins["member_invitation"], pins["member_invitation/en"]) == (1, 2)


async def test_the_pages_speak_german(console: Console) -> None:
    async with console.signed_in() as anna:
        async with console.house.transactions.work() as work:
            (await work.db.merge(console.anna)).locale = "de"
        pages = [
            await anna.get(PATH),
            await anna.get(HERE),
            await anna.get(f"{HERE}/edit"),
            await send(anna, MailText("{{ link }}", "")),
        ]
    for page, said in zip(
        pages,
        (
            "E-Mail-Inhalte",
            "Englisch",
            "Der Name des Arbeitsbereichs",
            "Betreff: Die Variable {{ link }} gibt es hier nicht.",
        ),
        strict=True,
    ):
        assert said in words(page)
