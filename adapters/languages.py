"""The languages of pages and mails: catalogues, which one a person gets, dates in its manner.

English is the source: what a catalogue lacks is shown in English. The catalogues under `locales/`
are read once, as text; there is no compiled form to forget.
"""

from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from jinja2 import Environment, pass_context
from jinja2.runtime import Context

DOMAIN = "gatepass"
SOURCE = "en"
LOCALES = Path(__file__).parent / "locales"
LONGEST_HEADER = 500

DATE_PATTERNS = {
    "en": "EEEE, d MMMM y, HH:mm",
    "de": "EEEE, d. MMMM y, HH:mm 'Uhr'",
}

SHORT_PATTERNS = {
    "en": "d MMM y, HH:mm",
    "de": "d. MMM y, HH:mm",
}


@cache
def available() -> tuple[str, ...]:
    """Every language there is a catalogue for, the source language first."""
    found = sorted(each.parents[1].name for each in LOCALES.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))
    return (SOURCE, *(each for each in found if each != SOURCE))


def translations_for(locale: str) -> NullTranslations:
    """The catalogue of a language, or the source texts themselves when there is none."""
    return _catalogue(_nearest([locale]))


def negotiate(accept_language: str | None, preferred: str | None = None) -> str:
    """The language for a person: the preferred one if we have it, else the browser's best.

    `accept_language` is the header as it came, of any shape (RFC 9110 12.5.4); never raises.
    """
    asked = [preferred] if preferred else []
    return _nearest([*asked, *_by_weight((accept_language or "")[:LONGEST_HEADER])])


def when(at: datetime, zone: str, locale: str) -> str:
    """A moment as read in a zone, the zone named: "Sunday, 6 December 2026, 14:05 UTC".

    `zone` is an IANA name; an unknown one is read as UTC, which the text then says.
    """
    local = at.astimezone(_zone(zone))
    language = _locale(locale)
    pattern = DATE_PATTERNS.get(language.language, "full")
    return f"{_dated(local, pattern, language)} {_zone_name(local)}"


def when_in_short(at: datetime, zone: str, locale: str) -> str:
    """A moment in few words, for lists that say once which zone they mean: "6 Dec 2026, 14:05"."""
    language = _locale(locale)
    pattern = SHORT_PATTERNS.get(language.language, "medium")
    return dates.format_datetime(at.astimezone(_zone(zone)), pattern, locale=language)


def day_in_short(day: date, locale: str) -> str:
    """A day in few words: "6 Dec 2026"."""
    language = _locale(locale)
    pattern = SHORT_PATTERNS.get(language.language, "medium").partition(",")[0]
    return dates.format_date(day, pattern, locale=language)


def zone_in_words(at: datetime, zone: str) -> str:
    """A zone as `when` names it at a moment: "Europe/Berlin, UTC+01:00", or "UTC"."""
    return _zone_name(at.astimezone(_zone(zone))).strip("()")


def language_name(named: str, locale: str) -> str:
    """A language in another: "German" or "Deutsch" for `de`; the tag itself if it is none."""
    try:
        spoken: Any = Locale.parse(named.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return named
    return spoken.get_display_name(locale) or named


def for_jinja(env: Environment) -> None:
    """Installs `_()`, `{% trans %}`, `when()` and kin, in the language that each render is given.

    A render names its language by the variable `locale`. Macros that translate are therefore
    imported `with context`.
    """
    env.add_extension("jinja2.ext.i18n")
    env.policies["ext.i18n.trimmed"] = True
    env.install_gettext_callables(  # type: ignore[attr-defined]  # added by the extension
        _gettext, _ngettext, newstyle=True, pgettext=_pgettext, npgettext=_npgettext
    )
    env.globals.update(
        when=when,
        when_in_short=when_in_short,
        day_in_short=day_in_short,
        zone_in_words=zone_in_words,
    )


def _by_weight(header: str) -> list[str]:
    """The languages of an Accept-Language header, the most wanted first."""
    parts = [each.strip().partition(";") for each in header.split(",")]
    weighed = [(_weight(parameter), tag.strip()) for tag, _, parameter in parts if tag.strip()]
    wanted = [each for each in weighed if each[0] > 0]
    return [tag for _, tag in sorted(wanted, key=lambda each: -each[0])]


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


def _nearest(asked: Iterable[str]) -> str:
    """The first of these languages that there is: `de-AT` is served by `de`."""
    known = {each.lower(): each for each in available()}
    for tag in asked:
        exact = tag.replace("-", "_").lower()
        for candidate in (exact, exact.partition("_")[0]):
            if candidate in known:
                return known[candidate]
    return SOURCE


@cache
def _catalogue(language: str) -> NullTranslations:
    path = LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    if not path.exists():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return Translations(compiled, domain=DOMAIN)


def _locale(name: str) -> Locale:
    try:
        return Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale(SOURCE)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return ZoneInfo("UTC")


def _dated(local: datetime, pattern: str, language: Locale) -> str:
    if pattern != "full":
        return dates.format_datetime(local, pattern, locale=language)
    date = dates.format_date(local, "full", locale=language)
    return f"{date}, {dates.format_time(local, 'short', locale=language)}"


def _zone_name(local: datetime) -> str:
    """The zone by its IANA name and distance from UTC: abbreviations such as CST are ambiguous."""
    if str(local.tzinfo) == "UTC":
        return "UTC"
    offset = local.strftime("%z")
    return f"({local.tzinfo}, UTC{offset[:3]}:{offset[3:5]})"


def _spoken(context: Context) -> NullTranslations:
    return translations_for(str(context.get("locale") or SOURCE))


@pass_context
def _gettext(context: Context, message: str) -> str:
    return _spoken(context).gettext(message)


@pass_context
def _ngettext(context: Context, singular: str, plural: str, number: int) -> str:
    return _spoken(context).ngettext(singular, plural, number)


@pass_context
def _pgettext(context: Context, meaning: str, message: str) -> Any:
    return _spoken(context).pgettext(meaning, message)


@pass_context
def _npgettext(context: Context, meaning: str, singular: str, plural: str, number: int) -> Any:
    return _spoken(context).npgettext(meaning, singular, plural, number)
