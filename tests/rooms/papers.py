"""Real documents to sign, as people bring them, a few pages long."""

from datetime import UTC, datetime
from functools import cache

from fpdf import FPDF

from adapters.pdf_paper import FONTS
from commands.agreement_paper import paper_of_pdf
from domain.paper import Paper

_papers: dict[tuple[str, ...], Paper] = {}


@cache
def pdf_of(*pages: str, font: str = "DejaVu") -> bytes:
    """A PDF with a page for each of these texts; "Helvetica" is a font that is not in it."""
    pdf = FPDF(format="A4")
    pdf.set_creation_date(datetime(2026, 1, 1, tzinfo=UTC))
    pdf.add_font("DejaVu", fname=FONTS / "DejaVuSans.ttf")
    pdf.set_font(font, size=12)
    for each in pages:
        pdf.add_page()
        pdf.multi_cell(0, 9, each)
    return bytes(pdf.output())


async def paper_of(*pages: str) -> Paper:
    """Such a document as it is kept, made once."""
    if pages not in _papers:
        _papers[pages] = await paper_of_pdf(pdf_of(*pages))
    return _papers[pages]


@cache
def a_pdf(pages: int = 1, words: str = "Supply agreement") -> bytes:
    """A PDF with so many pages, each with its number."""
    pdf = FPDF()
    pdf.set_creation_date(datetime(2026, 1, 1, tzinfo=UTC))
    pdf.set_font("helvetica", size=24)
    for number in range(1, pages + 1):
        pdf.add_page()
        pdf.cell(text=f"{words} - page {number}")
    return bytes(pdf.output())
