"""A receipt as a PDF that a party keeps: what was done, when, the hashes and the proof.

The receipt for machines travels inside, so that one file is enough to check it years later.
"""

from collections.abc import Callable
from datetime import datetime

from adapters.languages import translations_for, when
from adapters.pdf_paper import CODE, HEADING, SMALL, STRONG, TEXT, TITLE, Paper
from adapters.pdf_proof import proof_rows
from domain.receipt import Receipt, ReceiptTask

ATTACHED = "receipt.json"
VERIFY = f"gatepass audit verify {ATTACHED}"
ROOM_FOR_TASK = 30.0
"""In mm; a task begins on a new page rather than with less."""

Translate = Callable[[str], str]


def receipt_pdf(receipt: Receipt, machine_readable: bytes) -> bytes:
    """The PDF of a receipt, `machine_readable` (its JSON) attached; the same bytes each time.

    `machine_readable` is empty while there is no proof: nothing is attached then.

    Takes about 0.2 s of computing, twice that for a name in Chinese: call it in a thread. Several
    at once do not disturb each other.
    """
    _ = translations_for(receipt.locale).gettext
    title = _("Receipt: %(title)s") % {"title": receipt.session_title}
    paper = Paper(title, receipt.workspace_name, _language(receipt), receipt.completed_at)
    paper.footer_words = _foot(receipt, _)
    if machine_readable:
        _attach(paper, receipt, machine_readable, _)
    paper.add_page()
    _head(paper, receipt, _)
    _done(paper, receipt, _)
    _proof(paper, receipt, _)
    return bytes(paper.output())


def _attach(paper: Paper, receipt: Receipt, machine_readable: bytes, _: Translate) -> None:
    paper.embed_file(
        bytes=machine_readable,
        basename=ATTACHED,
        mime_type="application/json",
        modification_date=receipt.completed_at,
        associated_file_relationship="Data",
        desc=_("The receipt for machines, with its proof"),
        compress=True,
    )


def _language(receipt: Receipt) -> str:
    """The BCP 47 tag of what the document is really written in."""
    return receipt.locale.replace("_", "-")


def _foot(receipt: Receipt, _: Translate) -> Callable[[int, str], str]:
    words = _("Receipt %(reference)s · Page %(number)s of %(total)s")

    def foot(number: int, total: str) -> str:
        return words % {"reference": receipt.reference, "number": number, "total": total}

    return foot


def _head(paper: Paper, receipt: Receipt, _: Translate) -> None:
    paper.words(receipt.workspace_name, STRONG)
    paper.words(_("Receipt"), TITLE)
    paper.words(receipt.session_title, HEADING)
    paper.space(2)
    paper.rule()
    paper.space(4)
    moments = (
        (_("Sent"), receipt.issued_at),
        (_("Verified by code"), receipt.verified_at),
        (_("Completed"), receipt.completed_at),
    )
    paper.row(_("Asked for by"), receipt.workspace_name)
    paper.row(_("Completed by"), receipt.party_name, STRONG)
    for label, at in moments:
        if at:
            paper.row(label, _moment(receipt, at))
    paper.row(_("Reference"), receipt.reference)


def _moment(receipt: Receipt, at: datetime) -> str:
    """In the party's time, and in the time that is the same to everybody."""
    return f"{when(at, receipt.zone, receipt.locale)}\n{receipt.in_utc(at)}"


def _done(paper: Paper, receipt: Receipt, _: Translate) -> None:
    paper.section(_("What was done"), ROOM_FOR_TASK)
    kinds = {
        "form": _("Form"),
        "acknowledgment": _("Document acknowledged"),
        "upload": _("Files"),
        "signature": _("Signature"),
        "confirmation": _("Confirmation"),
    }
    for task in receipt.tasks:
        paper.keep(ROOM_FOR_TASK)
        paper.words(task.title, STRONG)
        _task(paper, receipt, task, (kinds.get(task.kind, task.kind), _("Completed")))


def _task(paper: Paper, receipt: Receipt, task: ReceiptTask, words: tuple[str, str]) -> None:
    kind, completed = words
    paper.words(kind, SMALL)
    paper.space(1)
    paper.row(completed, _moment(receipt, task.completed_at))
    for line in task.lines:
        paper.row(line.label, line.value, CODE if line.is_hash else TEXT)
    paper.space(3)


def _proof(paper: Paper, receipt: Receipt, _: Translate) -> None:
    paper.section(_("Proof"), ROOM_FOR_TASK)
    company = {"company": receipt.workspace_name}
    if receipt.proof is None:
        paper.words(
            _(
                "The entry in the audit log was still being signed when this document was made. "
                "The page of this session gives you the receipt with its proof."
            )
        )
        return
    paper.words(
        _(
            "This completion is an entry in the audit log of %(company)s. The log is a hash tree: "
            "whoever changes, removes or inserts an entry changes its root, and the root is signed."
        )
        % company
    )
    paper.space(3)
    proof_rows(paper, receipt.proof, _)
    _check(paper, company, _)


def _check(paper: Paper, company: dict[str, str], _: Translate) -> None:
    paper.section(_("How to check it"), ROOM_FOR_TASK)
    paper.words(
        _(
            "The file receipt.json is attached to this PDF. Save it and check it with Gatepass, "
            "offline, without an account and without asking %(company)s:"
        )
        % company
    )
    paper.space(2)
    paper.words(VERIFY, CODE)
    paper.space(2)
    paper.words(
        _(
            "The check computes the root from the entry and its path and verifies the signature. "
            "Compare the public key with the one that %(company)s gives you by another way."
        )
        % company
    )
