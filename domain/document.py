"""Documents: a title and a text in Markdown, pinned by the hash of exactly what was shown."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.definition import Reader
from domain.fault import Fault

LONGEST_TITLE = 200
LONGEST_MARKDOWN = 100_000
NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a document that tasks refer to."""

    title: str
    markdown: str

    @classmethod
    def of(cls, definition: Mapping[str, Any]) -> "Document":
        """The value of a definition `{"title", "markdown"}` that has no faults."""
        return cls(definition["title"].strip(), newlines_unified(definition["markdown"]))

    @property
    def canonical(self) -> bytes:
        """The bytes that are hashed: JSON with sorted keys, no spaces, UTF-8, newlines as LF."""
        content = {"markdown": self.markdown, "title": self.title}
        return json.dumps(
            content, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        ).encode()

    @property
    def sha256(self) -> str:
        """What an acknowledgment records as the text that was shown (PS-13), in hexadecimal."""
        return hashlib.sha256(self.canonical).hexdigest()


def newlines_unified(text: str) -> str:
    """The text with every line ending as LF, so that saving on another system is no change."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def faults_of(document: Mapping[str, Any]) -> tuple[Fault, ...]:
    """Every fault of a document's definition; empty if it can be saved."""
    read = Reader()
    read.only(document, {"title", "markdown"}, "")
    read.text(document, "title", "", longest=LONGEST_TITLE)
    read.text(document, "markdown", "", longest=LONGEST_MARKDOWN)
    for name in ("title", "markdown"):
        value = document.get(name)
        if isinstance(value, str) and NOT_TEXT.search(value):
            read.fault(f"/{name}", "contains control characters")
    return tuple(read.faults)
