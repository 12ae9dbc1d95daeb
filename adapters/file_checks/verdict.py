"""The one line by which the confined process answers, before the bytes of the rewritten file."""

import json
from dataclasses import asdict, dataclass

from domain.upload import UploadReason, UploadRefusal


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
        """As it was written; raises `ValueError`, `KeyError` or `TypeError` for all else."""
        said = json.loads(line)
        if said["refusal"] is None:
            return cls(length=int(said["length"]))
        reason, limit, given = (str(said["refusal"][each]) for each in ("reason", "limit", "given"))
        return cls(UploadRefusal(UploadReason(reason), limit[:500], given[:500]))
