"""What a document that is signed costs: written, filled in, certified, sealed, checked, shown."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from adapters.pdf_completion import with_completion
from adapters.pdf_document import MadeDocument, document_pdf
from adapters.pdf_filled import filled
from adapters.pdf_pages import page_images, prepared
from adapters.pdf_seal import SeenSeal, seal
from adapters.pdf_seal_box import seal_box
from adapters.pdf_seal_check import validate
from adapters.signing_certificate import SigningCertificate, made
from benchmarks.bench import Bench
from benchmarks.figures import Row, median, under
from domain.agreement_completion import AgreementCompletion, SignerCompletion
from domain.agreement_field import FieldKind
from domain.document import Document

PAGES = (1, 10, 50)
TIMES = 5
NOW = datetime.now(UTC)
WORDS = "The parties agree on what is said here, and on nothing that is not. " * 6
PARTS_A_PAGE = 6
VALUES = {FieldKind.TEXT: "Zoë Łukasz", FieldKind.DATE: "2026-12-06"}


async def rows(_: Bench) -> list[Row]:
    """Of documents of 1, 10 and 50 pages."""
    certificate = made("Acme Ltd", at=NOW, years=3)
    found = [Row("a signing certificate, new", "ms", 1000 * await _spent(_certificate))]
    for pages in PAGES:
        found += await _of(pages, certificate)
    return found


async def _certificate() -> None:
    made("Acme Ltd", at=NOW, years=3)


async def _of(pages: int, certificate: SigningCertificate) -> list[Row]:
    whole = _document(pages)
    ready = await prepared(whole.pdf)
    full, completion = _filled(whole), _completion()
    box = seal_box(completion, certificate, at=NOW)
    certified = with_completion(full, completion, box.height)
    seen = SeenSeal(box, certified.place)
    sealed = await seal(certified.pdf, certificate, reason="x", at=NOW, seen=seen)
    count = len(ready.pages)

    async def drawn() -> object:
        return await page_images(ready.pdf, ready.pages)

    async def sealing() -> object:
        return await seal(certified.pdf, certificate, reason="x", at=NOW, seen=seen)

    async def checking() -> object:
        return await validate(sealed.pdf, [certificate.root], at=NOW)

    steps: dict[str, Callable[[], Awaitable[object]]] = {
        "write from Markdown": _threaded(_document, pages),
        "take in as if it were foreign": lambda: prepared(whole.pdf),
        "page pictures, 1400 px wide": drawn,
        "fill in three fields": _threaded(_filled, whole),
        "certificate of completion": _threaded(with_completion, full, completion, box.height),
        "box of the seal": _threaded(lambda: seal_box(completion, certificate, at=NOW)),
        "seal, B-LT": sealing,
        "check the seal": checking,
    }
    times = {name: 1000 * await _spent(step) for name, step in steps.items()}
    goal = under(1000)
    size = f"{count} page{'s' * (count > 1)}"
    return [
        *(
            Row(f"{size}: {name}", "ms", spent, goal=goal if "seal" in name else None)
            for name, spent in times.items()
        ),
        Row(f"{size}: seal, by page", "ms", times["seal, B-LT"] / count),
    ]


def _threaded(function: Callable[..., Any], *given: Any) -> Callable[[], Awaitable[object]]:
    return lambda: asyncio.to_thread(function, *given)


async def _spent(step: Callable[[], Awaitable[object]]) -> float:
    """Seconds, the median of a few times, the first one left out."""
    await step()
    found = []
    for _ in range(TIMES):
        begun = perf_counter()
        await step()
        found.append(perf_counter() - begun)
    return median(found)


def _document(pages: int) -> MadeDocument:
    """Of exactly so many pages, the last one with room for a signer."""
    parts = [f"## Part {each}\n\n{WORDS}" for each in range(PARTS_A_PAGE * (pages - 1) + 3)]
    document = Document("Framework agreement", "\n\n".join(parts))
    return document_pdf(document, signers=("Zoë Łukasz",))


def _filled(whole: MadeDocument) -> bytes:
    values = {each.key: VALUES.get(each.kind, {"typed": "Zoë Łukasz"}) for each in whole.fields}
    return filled(whole.pdf, whole.fields, values)


def _completion() -> AgreementCompletion:
    signer = SignerCompletion(name="Zoë Łukasz", email="zoe@example.org", signed_at=NOW)
    return AgreementCompletion(
        workspace_name="Acme Ltd",
        title="Framework agreement",
        reference="0199f0a0",
        version=1,
        sha256="ab" * 32,
        sent_at=NOW,
        completed_at=NOW,
        signers=(signer,),
    )
