"""What is seen of a seal: a box on the certificate of completion, in any script.

It is drawn as the certificate is, and becomes the appearance of the signature's field: a reader
that checks signatures opens the seal's properties where somebody clicks on it.
"""

from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from math import ceil

from pyhanko.pdf_utils.content import PdfContent
from pyhanko.pdf_utils.generic import ArrayObject, FloatObject, pdf_name
from pyhanko.pdf_utils.layout import (
    AxisAlignment,
    BoxConstraints,
    InnerScaling,
    SimpleBoxLayoutRule,
)
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.stamp import StaticStampStyle
from typing_extensions import override

from adapters.languages import translations_for
from adapters.mail_rendering import one_line
from adapters.pdf_paper import ACCENT, AFTER_ROW, CODE, HEADING, RULE, Paper
from adapters.signing_certificate import SigningCertificate
from domain.agreement_completion import AgreementCompletion

WIDTH = 481
"""In points: what an A4 sheet has between its margins."""
LONGEST = 200
"""Characters of a name or title as they are drawn; one that no font has takes several."""
LONGEST_SUBJECT = 64
"""The most characters that X.520 allows an organisation's name in a certificate."""
_PADDING, _EDGE, _LINE = 4.0, 1.2, 0.3
"""In mm."""


@dataclass(frozen=True, slots=True)
class SealBox:
    """The box by itself: one page with the drawing in its upper left corner, sizes in points.

    `words` say in a line what it is, for whoever has the page read aloud.
    """

    pdf: bytes
    height: int
    words: str
    width: int = WIDTH

    def style(self) -> StaticStampStyle:
        """The box as the appearance of a signature."""
        return StaticStampStyle(
            background=_Drawing(self),
            background_opacity=1,
            background_layout=_AS_IT_IS,
            border_width=0,
        )


@dataclass(frozen=True, slots=True)
class SealPlace:
    """Where a box is: on which page, counted from 0, its lower left corner in points."""

    page: int
    left: int
    bottom: int

    def rectangle(self, box: SealBox) -> tuple[int, int, int, int]:
        """Left, bottom, right, top."""
        return self.left, self.bottom, self.left + box.width, self.bottom + box.height


def seal_box(
    completion: AgreementCompletion, certificate: SigningCertificate, *, at: datetime
) -> SealBox:
    """The box of a seal made at `at`: by whom, when, of what; as high as its words need."""
    _ = translations_for(completion.locale).gettext
    words = _("Sealed by %(company)s") % {"company": one_line(completion.workspace_name)}
    sheet = _Sheet(words, completion.workspace_name, completion.locale.replace("_", "-"), at)
    sheet.fit(WIDTH)
    sheet.words(words, HEADING)
    sheet.space(1.5)
    sheet.row(_("Certificate of"), one_line(certificate.subject, LONGEST_SUBJECT))
    issuer = one_line(certificate.issuer, LONGEST_SUBJECT)
    sheet.row(_("Issued by"), issuer or _("the company itself (self-issued)"))
    sheet.row(_("Time of the seal"), AgreementCompletion.in_utc(at))
    sheet.row(_("Document"), completion.title)
    sheet.row(_("Version signed"), str(completion.version))
    sheet.row(_("SHA-256 of it"), completion.sha256, CODE)
    height = sheet.frame()
    return SealBox(bytes(sheet.output()), height, words)


class _Sheet(Paper):
    """A sheet with nothing but a box in its upper left corner.

    What somebody chose as a name stays in its line's place and is cut: no name makes lines that
    look like the box's own, nor a box that no page has room for.
    """

    @override
    def _showable(self, text: str) -> str:
        shown = super()._showable(one_line(text))
        return shown if len(shown) <= LONGEST else shown[: LONGEST - 1].rstrip() + "…"

    @override
    def footer(self) -> None:
        """Has none."""

    def fit(self, width: int) -> None:
        """Begins a box of that width in points."""
        self.set_margins(_PADDING + _EDGE, _PADDING, self.w - width / self.k + _PADDING)
        self.set_auto_page_break(auto=False)
        self.add_page()

    def frame(self) -> int:
        """Draws the frame around what was written; says how high it is, in points."""
        height = ceil((self.get_y() - AFTER_ROW + _PADDING) * self.k)
        across, down = WIDTH / self.k, height / self.k
        self.set_draw_color(*RULE)
        self.set_line_width(_LINE)
        self.rect(_LINE / 2, _LINE / 2, across - _LINE, down - _LINE)
        self.set_fill_color(*ACCENT)
        self.rect(0, 0, _EDGE, down, style="F")
        return height


_AS_IT_IS = SimpleBoxLayoutRule(
    AxisAlignment.ALIGN_MIN,
    AxisAlignment.ALIGN_MIN,
    inner_content_scaling=InnerScaling.NO_SCALING,
)


class _Drawing(PdfContent):
    """The drawing, cut out of its page; the library's own would read it from a file in clear."""

    def __init__(self, box: SealBox) -> None:
        super().__init__(box=BoxConstraints(width=box.width, height=box.height))
        self._seal_box = box

    @override
    def render(self) -> bytes:
        page = self._ensure_writer.import_page_as_xobject(
            PdfFileReader(BytesIO(self._seal_box.pdf))
        )
        form = page.get_object()
        _, _, _, top = (float(each) for each in form["/BBox"])
        bottom = top - self._seal_box.height
        corners = (0, bottom, self._seal_box.width, top)
        form[pdf_name("/BBox")] = ArrayObject(FloatObject(f"{each:.3f}") for each in corners)
        self.resources.xobject[pdf_name("/Drawing")] = page
        return b"1 0 0 1 0 %.3f cm /Drawing Do" % -bottom
