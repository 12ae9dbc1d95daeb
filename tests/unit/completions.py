"""Completions of agreements that tests begin with."""

from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from adapters.pdf_seal import SeenSeal
from adapters.pdf_seal_box import SealPlace, seal_box
from domain.agreement_completion import AgreementCompletion, SignerCompletion
from tests.unit.receipts import proof
from tests.unit.sealing import NOW, certificate


def signer(name: str = "Anna Weber", **changes: Any) -> SignerCompletion:
    one = SignerCompletion(
        name=name,
        email="anna@example.org",
        mailbox_confirmed_at=NOW - timedelta(minutes=9),
        opened_at=NOW - timedelta(minutes=7),
        signed_at=NOW - timedelta(minutes=2),
        browser="Firefox 150 on Linux",
        zone="Europe/Berlin",
    )
    return replace(one, **changes)


def completion(**changes: Any) -> AgreementCompletion:
    one = AgreementCompletion(
        workspace_name="Acme Ltd",
        title="Framework agreement",
        reference="0199f0a0-0000-7000-8000-000000000001",
        version=3,
        sha256="ab" * 32,
        sent_at=NOW - timedelta(days=2),
        completed_at=NOW,
        signers=(signer(), signer("Zoë Łukasz 上海")),
        zone="Europe/Berlin",
        proof=proof(),
    )
    return replace(one, **changes)


@cache
def seen() -> SeenSeal:
    """A seal's box on any page."""
    return SeenSeal(seal_box(completion(), certificate(), at=NOW), SealPlace(0, 57, 60))
