from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest

from domain import errors
from domain.agreement_errors import CertificateRefused
from domain.errors import DomainError, TemplateNotIssuable
from domain.upload import UploadReason, UploadRefusal

EXAMPLES: dict[str, Any] = {
    "faults": (),
    "refusal": UploadRefusal(UploadReason.TOO_LARGE, "25 MB", "26 MB"),
    "size": 12,
    "errors": {"a": "no"},
    "values": {},
    "tries_left": 2,
    "latest": datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
    "next_at": datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
    "completed_at": datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
}


def every(parent: type[DomainError] = DomainError) -> list[type[Any]]:
    return [each for child in parent.__subclasses__() for each in (child, *every(child))]


@pytest.mark.parametrize("kind", every(), ids=lambda each: each.__name__)
def test_every_refusal_reads_as_a_sentence(kind: type[Any]) -> None:
    arguments = {each.name: EXAMPLES.get(each.name, "word") for each in fields(kind)}
    text = str(kind(**arguments))
    # Both are given their words by whoever raises them.
    assert text.endswith(".") or kind in {errors.ScopeRefused, CertificateRefused}
    assert "None" not in text
    assert "{" not in text


def test_a_retired_template_and_a_draft_are_refused_in_different_words() -> None:
    assert "retired" in str(TemplateNotIssuable("intake", "retired"))
    assert "test parties only" in str(TemplateNotIssuable("intake", "draft"))
