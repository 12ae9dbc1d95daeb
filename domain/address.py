"""When two mail addresses are one person's."""


def without_capitals(email: str) -> str:
    """An address as it is compared: whatever its capitals, and nothing else.

    Folding as for a search would make one person of two: `straße.example` is another domain than
    `strasse.example` (RFC 5894 7.2), and no letter beside ASCII ever becomes one of ASCII.
    """
    return "".join(_lower(each) for each in email)


def _lower(letter: str) -> str:
    lower = letter.lower()
    return letter if lower.isascii() and not letter.isascii() else lower
