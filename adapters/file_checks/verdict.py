"""The one line by which the confined process answers, before the bytes of the rewritten file."""

import json
from dataclasses import asdict, dataclass

from domain.upload import UploadReason, UploadRefusal, UploadRefused, refused

_UNFINISHED = "not finished"


def unfinished(seconds: float) -> UploadRefused:
    """The error to raise for a file that was not checked within so many seconds."""
    return refused(UploadReason.DAMAGED, f"checked within {seconds:g} s", _UNFINISHED)


def is_unfinished(error: UploadRefused) -> bool:
    """Whether the time was over, and what the file is, is not known."""
    return error.refusal.given == _UNFINISHED


@dataclass(frozen=True, slots=True)
class Verdict:
    """Either a refusal, or the number of bytes that follow."""

    refusal: UploadRefusal | None = None
    length: int = 0

    def line(self) -> bytes:
        """As it is written, with its newline."""
        refusal = asdict(self.refusal) if self.refusal else None
        return json.dumps({"refusal": refusal, "length": self.length}).encode() + b"\n"

    @classmethod
    def of(cls, line: bytes) -> "Verdict":
        """As it was written; whoever wrote it may be led astray.

        Raises `ValueError`, `KeyError`, `TypeError` or `RecursionError` for all that is none.
        """
        said = json.loads(line)
        if said["refusal"] is None:
            return cls(length=_length(said["length"]))
        reason, limit, given = (
            _text(said["refusal"][each]) for each in ("reason", "limit", "given")
        )
        return cls(UploadRefusal(UploadReason(reason), limit, given))


def _length(stated: object) -> int:
    if type(stated) is not int or stated < 0:
        raise ValueError("no length")
    return stated


def _text(stated: object) -> str:
    """Short, and such that it can be written: JSON may hold halves of characters."""
    return str(stated)[:500].encode(errors="replace").decode()
