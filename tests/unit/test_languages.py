import ast
import re
from collections.abc import Iterator
from configparser import ConfigParser
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po
from jinja2 import DictLoader, Environment

from adapters.languages import (
    DOMAIN,
    LOCALES,
    available,
    day_in_short,
    for_jinja,
    negotiate,
    translations_for,
    when,
    when_in_short,
    zone_in_words,
)
from domain.signature_request import BODY, TO_CONFIRM, TO_SIGN

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 12, 6, 14, 5, tzinfo=UTC)
KEYWORDS = {**DEFAULT_KEYWORDS, "translate": None}
"""What the documented command looks for: `-k translate` besides gettext's own names."""
PLACEHOLDER = re.compile(r"%\(\w+\)s|%[sd]|<[^>]+>|\{\w*\}")


def _first(msgid: object) -> str:
    """The singular of a msgid that has a plural."""
    return str(msgid[0] if isinstance(msgid, list | tuple) else msgid)


@cache
def found_everywhere() -> tuple[tuple[str, str], ...]:
    """File and msgid of every text there is, as the documented command finds them."""
    config = ConfigParser(interpolation=None)
    config.read(ROOT / "babel.cfg")
    methods = [
        (section.partition(": ")[2], section.partition(": ")[0]) for section in config.sections()
    ]
    options = {section.partition(": ")[2]: dict(config[section]) for section in config.sections()}
    extracting = extract_from_dir(ROOT, methods, options, keywords=KEYWORDS)
    return tuple((found[0], _first(found[2])) for found in extracting)


def extracted(*folders: str) -> set[str]:
    """Every msgid of the folders."""
    return {msgid for path, msgid in found_everywhere() if path.startswith(folders)}


@cache
def catalogue(language: str) -> dict[str, Message]:
    path = LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    with path.open("rb") as source:
        messages = read_po(source, locale=language)
    return {_first(message.id): message for message in messages if message.id}


def translated() -> Iterator[tuple[str, str, str]]:
    """Language, msgid and translation of every message of every catalogue."""
    for language in available()[1:]:
        for msgid, message in catalogue(language).items():
            texts = message.string if isinstance(message.string, tuple) else (message.string,)
            yield from ((language, msgid, str(text or "")) for text in texts)


def test_every_word_there_is_exists_in_every_language() -> None:
    words = extracted("")
    assert {"Yes", "Tick the box to confirm the statement."} <= words
    for language in available()[1:]:
        assert words - catalogue(language).keys() == set()


def test_nothing_that_translates_has_a_name_that_the_command_does_not_look_for() -> None:
    assert "-k translate" in (ROOT / "babel.cfg").read_text()
    rooms = ("adapters", "api", "commands", "domain")
    unknown = [
        f"{path.name}: {name}"
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        for name in _translating(ast.parse(path.read_text()))
        if name not in KEYWORDS
    ]
    assert unknown == []


def _translating(tree: ast.AST) -> Iterator[str]:
    """What a module calls the functions that it is given, or makes, to translate with."""
    kinds = {"Translate", "Callable[[str], str]"}
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            if ast.unparse(node.annotation) in kinds:
                yield node.arg if isinstance(node, ast.arg) else ast.unparse(node.target)
        elif isinstance(node, ast.Assign) and ast.unparse(node.value).endswith(".gettext"):
            yield from map(ast.unparse, node.targets)


def test_every_word_of_a_mail_exists_in_every_language() -> None:
    words = extracted("email_templates")
    assert len(words) > 40
    for language in available()[1:]:
        assert words - catalogue(language).keys() == set()


def test_every_fault_of_a_form_exists_in_every_language() -> None:
    words = extracted("adapters/form")
    assert words
    for language in available()[1:]:
        assert words - catalogue(language).keys() == set()


def test_every_word_of_a_members_page_exists_in_every_language() -> None:
    words = extracted("api/pages/console")
    assert len(words) > 40
    for language in available()[1:]:
        assert words - catalogue(language).keys() == set()


def test_every_word_on_paper_exists_in_every_language() -> None:
    words = extracted("adapters/pdf")
    assert len(words) > 20
    for language in available()[1:]:
        assert words - catalogue(language).keys() == set()


def test_the_names_of_a_signature_request_exist_in_every_language() -> None:
    names = {name for each in (TO_SIGN, TO_CONFIRM) for name in (each.session, each.step)}
    assert {BODY["name"], *(each["title"] for each in BODY["tasks"])} < names
    assert extracted("domain/signature_request") == names
    for language in available()[1:]:
        assert names - catalogue(language).keys() == set()


def test_translations_keep_their_placeholders() -> None:
    for language, msgid, text in translated():
        assert text, f"{language} lacks {msgid!r}"
        assert sorted(set(PLACEHOLDER.findall(text))) == sorted(set(PLACEHOLDER.findall(msgid)))
        assert "fuzzy" not in catalogue(language)[msgid].flags


def test_templates_that_translate_import_their_macros_with_context() -> None:
    """Without it a macro does not see the language and falls back to English."""
    imports = re.compile(r"{%-? *(?:import|from) [^%]*%}")
    for folder in ("email_templates", "api/pages"):
        for path in (ROOT / folder).rglob("*.*"):
            if path.suffix not in {".html", ".txt", ".mjml"}:
                continue
            for found in imports.findall(path.read_text()):
                assert "with context" in found, f"{path.name}: {found}"


@pytest.mark.parametrize(
    ("header", "preferred", "language"),
    [
        (None, None, "en"),
        ("", None, "en"),
        ("de", None, "de"),
        ("DE-at,en;q=0.8", None, "de"),
        ("fr, en;q=0.2, de;q=0.7", None, "de"),
        ("fr, de;q=0, en", None, "en"),
        ("fr;q=1, de;q=nonsense, en;q=0.1", None, "en"),
        ("en", "de", "de"),
        ("en", "de_CH", "de"),
        ("de", "xx", "de"),
        ("*", None, "en"),
        ("../../etc,;;q=,=", None, "en"),
        (("x" * 400 + ",") * 100 + "de", None, "en"),
        ("de;q=nan,en", None, "en"),
    ],
)
def test_a_person_gets_the_best_language_there_is(
    header: str | None, preferred: str | None, language: str
) -> None:
    assert negotiate(header, preferred) == language


def test_catalogues_are_read_without_a_compile_step() -> None:
    assert translations_for("de").gettext("Yes") == "Ja"
    assert translations_for("de-AT").gettext("Yes") == "Ja"
    assert translations_for("xx").gettext("Yes") == "Yes"
    assert translations_for("en").gettext("no such words") == "no such words"


@pytest.mark.parametrize(
    ("zone", "locale", "shown"),
    [
        ("UTC", "en", "Sunday, 6 December 2026, 14:05 UTC"),
        ("Europe/Berlin", "en", "Sunday, 6 December 2026, 15:05 (Europe/Berlin, UTC+01:00)"),
        ("Europe/Berlin", "de", "Sonntag, 6. Dezember 2026, 15:05 Uhr (Europe/Berlin, UTC+01:00)"),
        ("Asia/Kolkata", "en", "Sunday, 6 December 2026, 19:35 (Asia/Kolkata, UTC+05:30)"),
        ("Nowhere/Town", "en", "Sunday, 6 December 2026, 14:05 UTC"),
        ("../etc/passwd", "en", "Sunday, 6 December 2026, 14:05 UTC"),
        ("", "en", "Sunday, 6 December 2026, 14:05 UTC"),
        ("UTC", "fr", "dimanche 6 décembre 2026, 14:05 UTC"),
        ("UTC", "??", "Sunday, 6 December 2026, 14:05 UTC"),
    ],
)
def test_a_moment_is_said_with_its_zone(zone: str, locale: str, shown: str) -> None:
    assert when(AT, zone, locale) == shown


@pytest.mark.parametrize(
    ("zone", "locale", "shown"),
    [
        ("UTC", "en", "6 Dec 2026, 14:05 in UTC"),
        ("Europe/Berlin", "en", "6 Dec 2026, 15:05 in Europe/Berlin, UTC+01:00"),
        ("Europe/Berlin", "de", "6. Dez. 2026, 15:05 in Europe/Berlin, UTC+01:00"),
        ("Nowhere/Town", "fr", "6 déc. 2026, 14:05:00 in UTC"),
    ],
)
def test_a_moment_in_a_list_is_short_and_the_zone_is_said_once(
    zone: str, locale: str, shown: str
) -> None:
    assert f"{when_in_short(AT, zone, locale)} in {zone_in_words(AT, zone)}" == shown


@pytest.mark.parametrize(
    ("locale", "shown"), [("en", "6 Dec 2026"), ("de", "6. Dez. 2026"), ("fr", "6 déc. 2026")]
)
def test_a_day_is_as_short(locale: str, shown: str) -> None:
    assert day_in_short(date(2026, 12, 6), locale) == shown


def test_each_render_speaks_its_own_language() -> None:
    env = Environment(
        autoescape=True,
        loader=DictLoader(
            {
                "page": "{% import 'macros' as m with context %}{{ m.yes() }} {{ _('No') }}",
                "macros": "{% macro yes() %}{% trans %}Yes{% endtrans %}{% endmacro %}",
                "many": "{% trans num=count %}{{ num }} answer needs another look{% pluralize %}"
                "{{ num }} answers need another look{% endtrans %}",
                "named": "{% trans %}Hello {{ party_name }},{% endtrans %}",
            }
        ),
    )
    for_jinja(env)
    page = env.get_template("page")
    assert [page.render(locale=each) for each in ("de", "en", "de")] == [
        "Ja Nein",
        "Yes No",
        "Ja Nein",
    ]
    assert page.render() == "Yes No"
    assert env.get_template("many").render(count=2, locale="de").startswith("2 Antworten müssen")
    assert env.get_template("named").render(party_name="<b>", locale="de") == "Guten Tag &lt;b&gt;,"
