"""Checks one file, from standard input to standard output: `JOB PARENT-PID`.

A job is a kind of file, or what else is done to one, with its arguments behind colons.
"""

import codecs
import importlib
import os
import sys
from collections.abc import Callable, Mapping

from adapters.file_checks.confinement import MOST_MEMORY, confine
from adapters.file_checks.verdict import Verdict
from domain.file_kind import WHOLE_BYTES, FileKind
from domain.upload import UploadReason, UploadRefusal, UploadRefused, size_text

Rewrite = Callable[[bytes], bytes]
"""From a file to the same without what could act; raises `UploadRefused`."""

REWRITES: Mapping[FileKind, tuple[str, str]] = {
    FileKind.PDF: ("pdf", "rewritten"),
    FileKind.JPEG: ("picture", "rewritten_jpeg"),
    FileKind.PNG: ("picture", "rewritten_png"),
    FileKind.WEBP: ("picture", "rewritten_webp"),
    FileKind.DOCX: ("office", "rewritten_docx"),
    FileKind.XLSX: ("office", "rewritten_xlsx"),
    FileKind.ZIP: ("archive", "rewritten"),
}
"""Module and function of each kind: only the parser that is needed is loaded."""

JOBS: Mapping[str, tuple[str, str]] = {
    "agreement": ("agreement", "prepared"),
    "images": ("agreement", "images"),
    "looks": ("agreement", "looks"),
    "signing_certificate": ("signing_certificate", "opened"),
}
"""What is done besides, to documents and certificates; the same of each."""

_ALPHABETS = ("cp437", "cp1252", "latin-1", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")
"""Of names in archives and of XML; no other can be loaded once this process is confined."""


def rewrite_of(kind: FileKind) -> Rewrite:
    """The check of a kind; loads its parser and all that it will ask for."""
    for each in _ALPHABETS:
        codecs.lookup(each)
    module, name = REWRITES[kind]
    rewrite: Rewrite = getattr(importlib.import_module(f"adapters.file_checks.{module}"), name)
    return rewrite


def rewrite_for(job: str) -> Rewrite:
    """What a job does to a file; its arguments are the job's."""
    name, *arguments = job.split(":")
    if name not in JOBS:
        return rewrite_of(FileKind(job))
    module, function = JOBS[name]
    done = getattr(importlib.import_module(f"adapters.file_checks.{module}"), function)
    return lambda raw: done(raw, *arguments)


def judged(rewrite: Rewrite, raw: bytes) -> tuple[Verdict, bytes]:
    """The verdict on a file, and the file as it may be kept."""
    try:
        kept = rewrite(raw)
    except UploadRefused as error:
        return Verdict(error.refusal), b""
    except MemoryError:
        return Verdict(_refusal(UploadReason.ARCHIVE_BOMB, size_text(MOST_MEMORY), "more")), b""
    except RecursionError:
        return Verdict(_refusal(UploadReason.DAMAGED, "readable", "nested too deep")), b""
    except Exception as error:  # noqa: BLE001 - a parser may fail in any way; the file is at fault
        given = type(error).__name__
        return Verdict(_refusal(UploadReason.DAMAGED, "readable", given)), b""
    return Verdict(length=len(kept)), kept


def _refusal(reason: UploadReason, limit: str, given: str) -> UploadRefusal:
    return UploadRefusal(reason, limit, given)


def main(job: str, parent: str) -> None:
    """Load, confine, and only then read the file."""
    rewrite = rewrite_for(job)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    confine(int(parent))
    # From here on what libraries print could quote the file.
    os.dup2(nowhere, sys.stderr.fileno())
    raw = sys.stdin.buffer.read(WHOLE_BYTES + 1)
    verdict, kept = judged(rewrite, raw)
    sys.stdout.buffer.write(verdict.line())
    sys.stdout.buffer.write(kept)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
