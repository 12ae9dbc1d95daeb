"""Texts, checked as they pass, to their last letter."""

import codecs
from collections.abc import AsyncGenerator, AsyncIterator

from domain.file_kind import FileKind, text_encoding
from domain.upload import UploadReason, refused

_TEXTS = frozenset([FileKind.CSV, FileKind.TXT])


async def passing_text(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The same bytes, as far as they are a text; raises `UploadRefused` at the first that is not.

    The first chunk must hold the mark of UTF-16, if there is one.
    """
    decoder: codecs.IncrementalDecoder | None = None
    async for chunk in chunks:
        decoder = decoder or codecs.getincrementaldecoder(text_encoding(chunk))()
        _check(decoder, chunk)
        yield chunk
    if decoder:
        _check(decoder, b"", final=True)


def _check(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> None:
    try:
        text = decoder.decode(chunk, final)
    except UnicodeDecodeError as error:
        raise refused(UploadReason.DAMAGED, "UTF-8", "other characters") from error
    if "\0" in text:
        raise refused(UploadReason.CONTENT_DIFFERS, "TXT", "NUL")


def is_text(kind: FileKind) -> bool:
    """Whether every byte must be part of a text."""
    return kind in _TEXTS
