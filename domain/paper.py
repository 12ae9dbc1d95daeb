"""A PDF that people are to read: its bytes, and how each page of it looks."""

import hashlib
from dataclasses import dataclass, field

MOST_PAGES = 200
LARGEST_SIDE = 14_400.0
SMALLEST_SIDE = 36.0
"""In points: ISO 32000-2 Annex C, and half an inch, on which nobody can sign."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A whole PDF. `pages` has for each page a hash of its look, in hexadecimal (EX-19)."""

    pdf: bytes = field(repr=False)
    pages: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """The hash of the file, in hexadecimal."""
        return hashlib.sha256(self.pdf).hexdigest()
