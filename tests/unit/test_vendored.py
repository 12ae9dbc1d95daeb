"""Files of others are as their makers published them, each with its licence."""

import hashlib
import re
from pathlib import Path

from api.static_files import VENDORED, address_of

ROW = re.compile(
    r"^\| (\S+) \| npm \S+ \| [\d.]+ \| (LICENSE-\w+\.txt) \| ([0-9a-f]{64}) \|$", re.MULTILINE
)
NOT_SERVED = {".md", ".txt"}


def test_every_file_has_its_origin() -> None:
    rows = ROW.findall((VENDORED / "ORIGIN.md").read_text())
    served = {each.name for each in VENDORED.iterdir() if each.suffix not in NOT_SERVED}
    assert {name for name, _, _ in rows} == served
    for name, licence, expected in rows:
        assert hashlib.sha256((VENDORED / name).read_bytes()).hexdigest() == expected
        assert (VENDORED / licence).stat().st_size > 1000


def test_they_are_served_beside_our_own() -> None:
    own, theirs = Path(address_of("page.js")), Path(address_of("pdf.min.mjs"))
    assert own.parent == theirs.parent
