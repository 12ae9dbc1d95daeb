"""Countries: the codes of ISO 3166-1 alpha-2 and their names in the language of a page."""

import unicodedata
from functools import cache, lru_cache

from babel import Locale, UnknownLocaleError
from jinja2 import Environment

SOURCE = "en"
# Two-letter codes of CLDR that ISO 3166-1 does not assign: unions, test regions, exceptional
# reservations. Kosovo (XK) is one of them and not to be chosen, as ISO has no code for it.
NOT_ISO = frozenset(
    {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"}
)
CODE_LENGTH = 2


@cache
def codes() -> frozenset[str]:
    """Every assigned code, such as `PT`."""
    known = map(str, Locale(SOURCE).territories)
    return (
        frozenset(each for each in known if len(each) == CODE_LENGTH and each.isalpha()) - NOT_ISO
    )


@lru_cache(maxsize=32)
def country_names(locale: str) -> tuple[tuple[str, str], ...]:
    """(code, name) of every country in the order of a list in that language, accents aside.

    `locale` is a language tag (`de`, `pt-BR`); an unknown one is read as English.
    """
    territories = _locale(locale).territories
    english = Locale(SOURCE).territories
    named = ((code, territories.get(code) or english[code]) for code in codes())
    return tuple(sorted(named, key=lambda each: (_place(each[1]), each[0])))


def for_jinja(env: Environment) -> None:
    """Installs `country_names(locale)` for the pages that show a form."""
    env.globals["country_names"] = country_names


def _place(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(each for each in decomposed if not unicodedata.combining(each))


def _locale(name: str) -> Locale:
    try:
        return Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale(SOURCE)
