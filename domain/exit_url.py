"""Where a person is led who leaves, a page of the workspace's own (EX-11, EX-18)."""

import re
from enum import StrEnum

LONGEST = 200
BEGINS_SAFELY = re.compile(r"https://|http://(localhost|127\.0\.0\.1|\[::1\])(?![^:/?#])")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?"
    r"([/?#][!#$%&()*+,./:;=?@\[\]_~A-Za-z0-9-]*)?"
)
"""No user, no spaces, no backslash or quote: nothing that another reader splits differently."""


class ExitUrlFault(StrEnum):
    """Why an exit URL is refused, as the API says it."""

    TOO_LONG = f"must be a URL of at most {LONGEST} characters"
    NOT_SAFE = "must be an https:// URL, or http:// on this machine"
    UNUSUAL = "must have a host, no user name, and of all but plain characters the percent-encoding"


def exit_url_fault(value: object) -> ExitUrlFault | None:
    """Why an exit URL cannot be used; "" is none, and has our own page shown.

    Only https, or http on this machine: whoever leaves a document is not led into the open, nor
    into a script.
    """
    if not isinstance(value, str) or len(value) > LONGEST:
        return ExitUrlFault.TOO_LONG
    if value == "" or _is_safe(value):
        return None
    return ExitUrlFault.UNUSUAL if BEGINS_SAFELY.match(value) else ExitUrlFault.NOT_SAFE


def _is_safe(value: str) -> bool:
    found = ADDRESS.fullmatch(value)
    if found is None:
        return False
    return found["scheme"] == "https" or found["host"] in LOOPBACK
