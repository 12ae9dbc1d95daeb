"""Patterns of text fields: those that every engine reads alike and in linear time."""

import re

LONGEST_PATTERN = 200
# Look-around, back-references, atomic groups and flags are not linear-time; the doubled
# signs mean set operations in some engines and nothing in others.
REFUSED = re.compile(r"\(\?(?!:)|\\[1-9ZkG]|\[\^?\[|--|&&|~~|\|\|")
# ECMA 262 and the validator know `\p{L}`, the standard library does not.
PROPERTY = re.compile(r"\\[pP]\{\w+\}")


def pattern_fault(pattern: object) -> str:
    """What is wrong with a regular expression, in words; empty if nothing is."""
    if not isinstance(pattern, str) or len(pattern) > LONGEST_PATTERN:
        return f"must be a regular expression of {LONGEST_PATTERN} characters at most"
    plain = PROPERTY.sub(r"\\w", pattern)
    if found := REFUSED.search(plain):
        return f"{found[0]!r} is refused: a pattern must mean the same everywhere, in linear time"
    try:
        re.compile(plain)
    except (re.error, OverflowError, RecursionError) as error:
        return f"is not a regular expression: {error}"
    return ""
