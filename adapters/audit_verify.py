"""Checks an exported audit log or a receipt offline, with Python 3.11 and `cryptography` (N10).

    python audit_verify.py FILE [--key VKEY] [--checkpoint OLDER ...]

OLDER: a checkpoint, receipt or earlier export kept outside. Exit 0, or 1 with the first bad index.
"""

import argparse
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey as Public

JSON = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
MALFORMED = (ValueError, TypeError, LookupError, AttributeError, RecursionError, InvalidSignature)


class Broken(Exception):
    """Where the first fault shows: its event, or the first behind the last good checkpoint."""

    def __init__(self, index: int, why: str) -> None:
        super().__init__(f"FIRST BAD INDEX {index!a}: {why}")
        self.index, self.why = index, why


class Report:
    """What holds so far: of a log of `size` events, `events` are here, True: without details."""

    key, pinned, at, size, checkpoints, proven, agreed = "", False, 0, 0, 0, 0, 0

    def __init__(self) -> None:
        self.peaks, self.events, self.older = list[bytes](), dict[str, bool](), list[Any]()

    def text(self) -> str:
        source = "given" if self.pinned else "FROM THE FILE: compare it with the published one"
        events = f"{len(self.events)} of {self.size} events, {sum(self.events.values())}"
        held = f"{self.checkpoints} checkpoints, {len(self.older)} kept outside"
        return f"Everything holds: {events} without details; {held}.\nKey ({source}): {self.key!a}"

    def opened(self, note: str) -> tuple[int, str]:
        (name, key_id, encoded), parts = self.key.split("+", 2), note.split("\n")
        raw, text = b64decode(encoded), f"{name}\n{int(parts[1])}\n{parts[2]}\n"
        known = raw[0] == 1 and key_id == sha256(f"{name}\n".encode() + raw).hexdigest()[:8]
        if not known or not note.startswith(f"{text}\n— {name} ") or len(parts) != 6:
            raise ValueError("not a checkpoint of the log that the key is for")
        Public.from_public_bytes(raw[1:]).verify(b64decode(parts[4].split()[2])[4:], text.encode())
        return int(parts[1]), parts[2]

    def hold(self, size: int, root: str, since: int, what: str = "a checkpoint") -> int:
        top = self.peaks[-1] if self.peaks else sha256().digest()
        for left in self.peaks[-2::-1]:
            top = sha256(b"\x01" + left + top).digest()
        if (size, root) != (self.size, b64encode(top).decode()):
            raise Broken(since, f"{what} was signed over {size} events that are not these")
        return size

    def leaf_hash(self, event: Any) -> bytes:
        leaf, salt, details = event["leaf"], event["salt"], event["details"]
        if not self.key.startswith(f"gatepass/{leaf['workspace']}+") or leaf["id"] in self.events:
            raise ValueError("the event is of another log, or here twice")
        if (salt, details) != (None, None):
            raw = bytes.fromhex(salt)
            if len(raw) != 32 or sha256(raw + details.encode()).hexdigest() != leaf["commitment"]:
                raise ValueError("the details are not those that were recorded")
        self.events[leaf["id"]] = salt is None
        return sha256(b"\x00" + JSON.encode(leaf).encode()).digest()

    def append(self, event: Any) -> None:
        top, place = self.leaf_hash(event), self.size
        if [repr(event["index"]), event["hash"], len(event)] != [str(place), top.hex(), 5]:
            raise ValueError("the event is not as it was recorded, or not in its place")
        while place & 1:
            top, place = sha256(b"\x01" + self.peaks.pop() + top).digest(), place >> 1
        self.peaks.append(top)
        self.at = self.size = self.size + 1
        for size, root in [each for each in self.older if each[0] == self.size]:
            self.agreed = self.hold(size, root, self.agreed, "FORK: a checkpoint kept outside")

    def read_log(self, head: Any, lines: Iterator[Any]) -> None:
        line, note = head, None
        for line in lines:
            if "leaf" in line:
                self.append(line)
            elif [*line] == ["checkpoint"]:
                self.at, note = self.proven, line["checkpoint"]
                self.at = self.proven = self.hold(*self.opened(note), self.at)
                self.checkpoints += 1
            elif repr(line) != repr({"end": self.size}) or next(lines, ...) is not ...:
                raise ValueError("this is not the end line of so many events")
        if max(self.older, default=(0,))[0] > self.size:
            raise Broken(self.size, "CUT OFF: a checkpoint kept outside has more events")
        said = {"checkpoint": note, "origin": f"gatepass/{head['workspace']}", "size": self.proven}
        fits = repr(head) == repr(head | said) and self.key.startswith(f"{head['origin']}+")
        if not (fits and note and line == {"end": self.proven} and len(head) == 7):
            raise Broken(self.proven, "CUT OFF, or header, last checkpoint and end line differ")

    def read_receipt(self, receipt: Any, lines: Iterator[Any]) -> None:
        self.size, root = self.opened(receipt["checkpoint"])
        if [*lines] or len(receipt) != 4 or self.older not in ([], [(self.size, root)]):
            raise ValueError("a checkpoint kept outside differs, or is of another size")
        for event in receipt["events"]:
            self.at, top, proof = event["index"], self.leaf_hash(event), event["proof"]
            turn = (self.at ^ (self.size - 1)).bit_length()
            for level, beside in enumerate(map(bytes.fromhex, proof)):
                pair = beside + top if level >= turn or self.at >> level & 1 else top + beside
                top = sha256(b"\x01" + pair).digest()
            steps = turn + (self.at >> turn).bit_count() if 0 <= self.at < self.size else -1
            if [len(proof), len(event), b64encode(top).decode()] != [steps, 5, root]:
                raise ValueError("the proof does not lead to the checkpoint")

    def lines(self, path: Path) -> Iterator[Any]:
        with path.open("rb") as file:
            while line := file.readline(2**23).decode():
                if JSON.encode(value := json.loads(line)) != line.removesuffix("\n"):
                    raise ValueError("the line is not canonical JSON (RFC 8785)")
                yield value


def verify_file(path: Path, key: str | None = None, checkpoints: Sequence[Path] = ()) -> Report:
    """What holds in a log or a receipt; `checkpoints` were kept outside. Raises `Broken`."""
    report = Report()
    try:
        first: Any = next(lines := report.lines(path), {})
        report.key, report.pinned = first["key"] if key is None else key, key is not None
        if report.key != first["key"]:
            raise ValueError("the file names another key than the one that was given")
        for text in (older.read_text("utf-8") for older in checkpoints):
            note = json.loads(text.split("\n")[0])["checkpoint"] if text[:1] == "{" else text
            report.older.append(report.opened(note.strip() + "\n"))
        read = {"gatepass-audit/1": report.read_log, "gatepass-receipt/1": report.read_receipt}
        read[first["format"]](first, lines)
    except MALFORMED as error:
        raise Broken(report.at, f"{type(error).__name__}: {error}; {report.proven} hold") from error
    return report


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("path", metavar="FILE", type=Path)
    parser.add_argument("--key")
    parser.add_argument("--checkpoint", dest="checkpoints", type=Path, nargs="+", default=[])
    try:
        print(verify_file(**vars(parser.parse_args())).text())  # noqa: T201 - a program
    except (Broken, OSError) as error:
        raise SystemExit(str(error)) from error
