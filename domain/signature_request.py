"""The session template that every agreement is issued with: the product's own (PS-43)."""

from domain.agreement_errors import TemplateReserved
from domain.task import TaskKind

SIGNATURE_REQUEST = "signature-request"
"""Its key; no author writes it."""
BODY = {
    "key": SIGNATURE_REQUEST,
    "name": "Signature request",
    "time_bound_days": 14,
    "scope": {"subject": "optional"},
    "tasks": [{"key": "sign", "kind": TaskKind.SIGNATURE.value, "title": "Review and sign"}],
}


def refuse_reserved(key: str) -> None:
    """Raises `TemplateReserved` for the key that is the product's own.

    Changed or retired, it would refuse or alter every agreement that is sent after.
    """
    if key == SIGNATURE_REQUEST:
        raise TemplateReserved(key)
