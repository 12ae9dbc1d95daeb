"""One fault of a definition, so that all can be named at once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at which place; `pointer` is a JSON pointer (RFC 6901) into the definition."""

    pointer: str
    message: str
