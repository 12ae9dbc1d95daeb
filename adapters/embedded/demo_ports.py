"""The ports of one run of the demo."""

from dataclasses import astuple, dataclass

from adapters.embedded.ports import port_or_next
from adapters.embedded.supervisor import Say

_NAMES = ("API", "mailbox", "SMTP", "Temporal", "Temporal's pages")


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports wanted, or those that this run uses."""

    api: int
    mailbox: int
    smtp: int
    temporal: int
    temporal_ui: int


def choose_ports(wanted: Ports, say: Say) -> Ports:
    """The wanted ports, busy ones replaced and said; raises `NoFreePortError`."""
    chosen: list[int] = []
    for name, port in zip(_NAMES, astuple(wanted), strict=True):
        chosen.append(port_or_next(port, frozenset(chosen)))
        if chosen[-1] != port:
            say(f"Port {port} is busy: {name} gets {chosen[-1]}.")
    return Ports(*chosen)
