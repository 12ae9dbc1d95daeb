"""Ids as they come in addresses and forms, where anybody can write anything."""

from uuid import UUID

from domain.errors import NotFound


def id_in(text: str) -> UUID | None:
    """The id that a text is, if it is one."""
    try:
        return UUID(text)
    except ValueError:
        return None


def known_id(text: str, noun: str) -> UUID:
    """The id that a text is; raises `NotFound`, as for an unknown one, for what is none."""
    found = id_in(text)
    if found is None:
        raise NotFound(noun)
    return found
