"""A mail's HTML inside a page of ours, where nothing of it runs, loads or leads anywhere (SH-16).

It is the `srcdoc` of a frame with an empty sandbox. Such a document has the policy of the page
around it, which allows no style but our sheet's: the page names each style of the mail by its hash,
so that these and no others count (CSP Level 3, 6.7.3.3 and 8.3).
"""

from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

from fastapi.responses import HTMLResponse
from typing_extensions import override

from api.browser import policy_with

STYLE = "style"


class _Styles(HTMLParser):
    """Every style of a document: of its elements' attributes, and of its `<style>`s."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, None] = {}
        self._inside: list[str] | None = None

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {value: None for name, value in attrs if name == STYLE and value}
        self._inside = [] if tag == STYLE else None

    @override
    def handle_data(self, data: str) -> None:
        if self._inside is not None:
            self._inside.append(data)

    @override
    def handle_endtag(self, tag: str) -> None:
        if self._inside is not None:
            self.found["".join(self._inside)] = None
        self._inside = None


def frames(page: HTMLResponse, html: str) -> HTMLResponse:
    """The page, whose policy lets the mail in its frame have its own styles."""
    styles = _Styles()
    styles.feed(html)
    page.headers["content-security-policy"] = policy_with(
        "'unsafe-hashes'", *map(_hashed, styles.found)
    )
    return page


def _hashed(style: str) -> str:
    return f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'"
