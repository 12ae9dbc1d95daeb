"""The certificate of completion: pages behind an agreement that say who signed what, and when."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from adapters.languages import translations_for, when
from adapters.pdf_overlay import bare, opened, written
from adapters.pdf_paper import CODE, HEADING, SMALL, STRONG, TITLE, Paper
from adapters.pdf_proof import proof_rows
from adapters.pdf_seal_box import SealPlace
from domain.agreement_completion import AgreementCompletion, SignerCompletion
from domain.receipt import Proof

ROOM_FOR_SIGNER = 40.0
"""In mm; a signer begins on a new page rather than with less."""
ROUND_THE_SEAL = 3.0
"""In mm."""

Translate = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Certified:
    """A document that ends with a certificate of completion, and the room in it for a seal."""

    pdf: bytes
    place: SealPlace


def with_completion(pdf: bytes, completion: AgreementCompletion, room: int = 0) -> Certified:
    """The document with its certificate behind it and nothing over it; the same bytes each time.

    `room` is how high the box of the seal is, in points.
    Takes about 0.2 s of computing: call it in a thread.
    """
    made = completion_pdf(completion, room)
    with opened(pdf) as document, opened(made.pdf) as certificate:
        place = replace(made.place, page=len(document.pages) + made.place.page)
        document.pages.extend(certificate.pages)
        bare(document)
        return Certified(written(document), place)


def completion_pdf(completion: AgreementCompletion, room: int = 0) -> Certified:
    """The certificate's pages by themselves."""
    _ = translations_for(completion.locale).gettext
    title = _("Certificate of completion: %(title)s") % {"title": completion.title}
    language = completion.locale.replace("_", "-")
    paper = Paper(title, completion.workspace_name, language, completion.completed_at)
    paper.footer_words = partial(_foot, completion.reference, _)
    paper.add_page()
    _head(paper, completion, _)
    place = _room_for_seal(paper, room)
    _signers(paper, completion, _)
    _seal(paper, completion, _)
    if completion.proof:
        _proof(paper, completion.proof, _)
    return Certified(bytes(paper.output()), place)


def _room_for_seal(paper: Paper, height: int) -> SealPlace:
    """Leaves as much empty as the box is high, on one page, and says where that is."""
    paper.space(ROUND_THE_SEAL)
    paper.keep(height / paper.k)
    bottom = int((paper.h - paper.get_y()) * paper.k) - height
    paper.space(height / paper.k)
    return SealPlace(paper.page_no() - 1, round(paper.l_margin * paper.k), bottom)


def _foot(reference: str, _: Translate, number: int, total: str) -> str:
    words = _("Certificate of completion %(reference)s · Page %(number)s of %(total)s")
    return words % {"reference": reference, "number": number, "total": total}


def _head(paper: Paper, completion: AgreementCompletion, _: Translate) -> None:
    paper.words(completion.workspace_name, STRONG)
    paper.words(_("Certificate of completion"), TITLE)
    paper.words(completion.title, HEADING)
    paper.space(2)
    paper.rule()
    paper.space(4)
    paper.row(_("Sent by"), completion.workspace_name)
    paper.row(_("Sent"), _moment(completion.sent_at, completion.zone, completion.locale))
    paper.row(_("Completed"), _moment(completion.completed_at, completion.zone, completion.locale))
    paper.row(_("Version signed"), str(completion.version))
    paper.row(_("SHA-256 of it"), completion.sha256, CODE)
    paper.row(_("Reference"), completion.reference)


def _signers(paper: Paper, completion: AgreementCompletion, _: Translate) -> None:
    """Those who signed, and by themselves those who only filled in."""
    headings = {True: _("Who signed"), False: _("Who filled it in without signing")}
    for signs, heading in headings.items():
        those = [each for each in completion.signers if each.signs is signs]
        if those:
            paper.section(heading, ROOM_FOR_SIGNER)
        for each in those:
            _signer(paper, completion, each, _)


def _signer(
    paper: Paper, completion: AgreementCompletion, signer: SignerCompletion, _: Translate
) -> None:
    paper.keep(ROOM_FOR_SIGNER)
    paper.words(signer.name, STRONG)
    paper.words(signer.email, SMALL)
    paper.space(1)
    moments = (
        (_("Code by mail on entry"), signer.mailbox_confirmed_at),
        (_("Opened"), signer.opened_at),
        (_("Another code by mail on entry"), signer.confirmed_again_at),
        (_("Fresh code by mail"), signer.stepped_up_at),
        (_("Signed") if signer.signs else _("Confirmed"), signer.signed_at),
    )
    for label, at in moments:
        if at:
            paper.row(label, _moment(at, signer.zone, completion.locale))
    if signer.browser:
        paper.row(_("Browser"), signer.browser)
    paper.space(3)


def _moment(at: datetime, zone: str, locale: str) -> str:
    """In the time where it was done, and in the time that is the same to everybody."""
    return f"{when(at, zone, locale)}\n{AgreementCompletion.in_utc(at)}"


def _seal(paper: Paper, completion: AgreementCompletion, _: Translate) -> None:
    paper.section(_("What the seal is"), ROOM_FOR_SIGNER)
    paper.words(
        _(
            "This file is sealed by the service on behalf of %(company)s. The seal shows that "
            "nothing in it has been changed since, these pages included. It is not a qualified "
            "electronic signature of a person."
        )
        % {"company": completion.workspace_name}
    )
    paper.space(2)
    paper.words(
        _(
            "The box in this certificate shows the seal, but a picture proves nothing. A reader "
            "that checks signatures does: in one, a click on the box opens what it found."
        )
    )
    paper.space(2)
    paper.words(
        _(
            "A code by mail means that somebody who could read the mail of the address above typed "
            "a code sent to it: on entry one to come in, and as a fresh code one that was asked "
            "for to sign this document and is good for nothing else. How else the signers are "
            "known is not recorded here."
        )
    )


def _proof(paper: Paper, proof: Proof, _: Translate) -> None:
    paper.section(_("Proof"), ROOM_FOR_SIGNER)
    proof_rows(paper, proof, _)
