"""The session template that every agreement is issued with: the product's own (PS-43).

Its two names are read by signers, each in their own language.
"""

from typing import Any

from domain.agreement_errors import TemplateReserved
from domain.task import TaskKind


def _(words: str) -> str:
    """Has the catalogues take words up; they are translated for whoever reads them."""
    return words


SIGNATURE_REQUEST = "signature-request"
"""Its key; no author writes it."""
BODY: dict[str, Any] = {
    "key": SIGNATURE_REQUEST,
    "name": _("Signature request"),
    "time_bound_days": 14,
    "scope": {"subject": "optional"},
    "tasks": [{"key": "sign", "kind": TaskKind.SIGNATURE.value, "title": _("Review and sign")}],
}


def refuse_reserved(key: str) -> None:
    """Raises `TemplateReserved` for the key that is the product's own.

    Changed or retired, it would refuse or alter every agreement that is sent after.
    """
    if key == SIGNATURE_REQUEST:
        raise TemplateReserved(key)
