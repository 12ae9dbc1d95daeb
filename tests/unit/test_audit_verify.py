"""Tampering with an exported log, as an administrator, a thief or we ourselves might.

N10 asks for evidence that an outsider can check without a network: whatever is changed, put in,
taken out, moved or cut off is found, and erasing details alarms nobody. Here: 500 changed logs, all
found with the public key and the file; 50 honest ones, none suspected.
"""

import ast
import base64
import hashlib
import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters import audit_verify
from adapters.audit_verify import Broken, Report, verify_file
from adapters.checkpoint import Signer
from domain.audit_export import (
    ExportHeader,
    Opening,
    ReceiptEvent,
    checkpoint_line,
    end_line,
    event_line,
    header_line,
    receipt_text,
)
from domain.audit_leaf import Leaf, canonical_json, commitment_of
from domain.audit_tree import Frontier, inclusion_proof, leaf_hash

WORKSPACE = "0190c3a4-0000-7000-8000-000000000001"
NAME = f"gatepass/{WORKSPACE}"
SIGNER = Signer(NAME, b"s" * 32)
PUBLIC = base64.b64decode(SIGNER.vkey.split("+", 2)[2])[1:]
MALLORY = Signer(NAME, b"m" * 32)
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
ODD_TEXTS = ("", "Größe", 'quote " and \\', "line\nbreak\u2028\x7f", "🎫", "\x01")

Line = dict[str, Any]
Lines = list[Line]


@dataclass(frozen=True)
class Entry:
    """An event and what it commits to."""

    leaf: Leaf
    opening: Opening | None


def entry(random: Random, number: int) -> Entry:
    text = random.choice(ODD_TEXTS)
    details = canonical_json({"actor_label": text, "details": {"n": number}, "reason": text})
    opening = Opening(random.randbytes(32), details)
    leaf = Leaf(
        workspace=WORKSPACE,
        id=str(UUID(bytes=random.randbytes(16))),
        event=random.choice(["task.completed", "party.changed"]),
        actor=f"party:{UUID(bytes=random.randbytes(16))}",
        at=AT + timedelta(microseconds=number * 1_234_567),
        session=str(UUID(bytes=random.randbytes(16))),
        party=random.choice([None, str(UUID(bytes=random.randbytes(16)))]),
        subject=text,
        commitment=commitment_of(opening.salt, details),
    )
    return Entry(leaf, opening)


def entries(random: Random, size: int) -> list[Entry]:
    return [entry(random, number) for number in range(size)]


def notes(of: Sequence[Entry], sizes: Iterable[int], signer: Signer = SIGNER) -> dict[int, str]:
    """The checkpoints of these sizes."""
    hashes = [leaf_hash(each.leaf.canonical()) for each in of]
    return {
        size: signer.sign(NAME, size, Frontier().appending(hashes[:size])[0].root) for size in sizes
    }


def export(of: Sequence[Entry], sizes: Iterable[int], signer: Signer = SIGNER) -> str:
    """A log as it is exported, with checkpoints of these sizes and of the whole."""
    signed = notes(of, {*sizes, len(of)}, signer)
    found = [header_line(ExportHeader(WORKSPACE, NAME, signer.vkey, AT, len(of), signed[len(of)]))]
    for size in range(len(of) + 1):
        if size:
            leaf = of[size - 1].leaf
            hashed = leaf_hash(leaf.canonical())
            found.append(event_line(size - 1, leaf, hashed, of[size - 1].opening))
        if size in signed:
            found.append(checkpoint_line(signed[size]))
    return "".join([*found, end_line(len(of))])


def lines_of(text: str) -> Lines:
    return [json.loads(line) for line in text.removesuffix("\n").split("\n")]


def text_of(lines: Iterable[object]) -> str:
    return "".join(f"{canonical_json(line)}\n" for line in lines)


def verified(
    folder: Path, text: str, key: str | None = SIGNER.vkey, outside: Sequence[str] = ()
) -> Report:
    file = folder / "export.jsonl"
    file.write_text(text, encoding="utf-8", newline="")
    kept = [folder / f"outside-{number}" for number in range(len(outside))]
    for path, each in zip(kept, outside, strict=True):
        path.write_text(each, encoding="utf-8")
    return verify_file(file, key, kept)


def events_in(lines: Lines) -> list[int]:
    return [number for number, line in enumerate(lines) if "leaf" in line]


def rehashed(lines: Lines) -> Lines:
    """Everything made right again that needs no key: indices, hashes, numbers."""
    for index, number in enumerate(events_in(lines)):
        written = canonical_json(lines[number]["leaf"]).encode()
        lines[number] |= {"index": index, "hash": leaf_hash(written).hex()}
    size = len(events_in(lines))
    lines[0] |= {"size": size}
    lines[-1] = {"end": size} if "end" in lines[-1] else lines[-1]
    return lines


@dataclass
class Crime:
    """One log to tamper with: where, with which chance; it says what may be known outside."""

    random: Random
    entries: list[Entry]
    sizes: list[int]
    at: int
    outside: tuple[str, ...] = ()

    @property
    def lines(self) -> Lines:
        return lines_of(export(self.entries, self.sizes))

    @property
    def event(self) -> tuple[Lines, int]:
        """The lines, and the one of the event that is attacked."""
        lines = self.lines
        return lines, events_in(lines)[self.at]


def crime(seed: int) -> Crime:
    random = Random(seed)
    size = random.randrange(6, 40)
    sizes = sorted(random.sample(range(1, size), 4))
    return Crime(random, entries(random, size), sizes, random.randrange(size - 1))


OTHERS: dict[str, object] = {
    "workspace": "0190c3a4-0000-7000-8000-00000000000f",
    "id": "0190c3a4-0000-7000-8000-00000000000e",
    "event": "public_session.revoked",
    "actor": "operator:cli",
    "session": None,
    "party": "0190c3a4-0000-7000-8000-00000000000d",
    "subject": "another order",
    "commitment": "0" * 64,
    "at": "2020-01-01T00:00:00.000000Z",
}


def edit(member: str, *, covered: bool) -> Callable[[Crime], Lines]:
    def tamper(case: Crime) -> Lines:
        lines, number = case.event
        lines[number]["leaf"][member] = OTHERS[member]
        return rehashed(lines) if covered else lines

    return tamper


def forge_details(*, covered: bool) -> Callable[[Crime], Lines]:
    def tamper(case: Crime) -> Lines:
        lines, number = case.event
        line = lines[number]
        line["details"] = line["details"].replace('"n":', '"n":9')
        if covered:
            salt = bytes.fromhex(line["salt"])
            line["leaf"]["commitment"] = commitment_of(salt, line["details"])
        return rehashed(lines) if covered else lines

    return tamper


def move_the_end_of_the_salt(case: Crime) -> Lines:
    lines, number = case.event
    line = lines[number]
    line |= {"salt": line["salt"] + "7b", "details": line["details"][1:]}
    return lines


def delete(*, covered: bool) -> Callable[[Crime], Lines]:
    def tamper(case: Crime) -> Lines:
        lines, number = case.event
        del lines[number]
        return rehashed(lines) if covered else lines

    return tamper


def insert(*, covered: bool) -> Callable[[Crime], Lines]:
    def tamper(case: Crime) -> Lines:
        lines, number = case.event
        new = entry(case.random, 999)
        hashed = leaf_hash(new.leaf.canonical())
        lines.insert(number, json.loads(event_line(case.at, new.leaf, hashed, new.opening)))
        return rehashed(lines) if covered else lines

    return tamper


def reorder(*, covered: bool) -> Callable[[Crime], Lines]:
    def tamper(case: Crime) -> Lines:
        lines, number = case.event
        other = case.random.choice([each for each in events_in(lines) if each > number])
        lines[number], lines[other] = lines[other], lines[number]
        return rehashed(lines) if covered else lines

    return tamper


def duplicate(*, covered: bool) -> Callable[[Crime], Lines]:
    def tamper(case: Crime) -> Lines:
        lines, number = case.event
        lines.insert(number + 1, json.loads(json.dumps(lines[number])))
        case.at += 1
        return rehashed(lines) if covered else lines

    return tamper


def cut_the_file(case: Crime) -> Lines:
    lines, number = case.event
    return lines[:number]


def cut_and_close(case: Crime) -> Lines:
    lines, number = case.event
    return rehashed([*lines[:number], lines[-1]])


def cut_back_to_a_checkpoint(case: Crime) -> Lines:
    """An honest, older export: only what the party's receipt says is against it."""
    case.at = case.random.choice(case.sizes)
    case.outside = (notes(case.entries, [len(case.entries)])[len(case.entries)],)
    return lines_of(export(case.entries[: case.at], [s for s in case.sizes if s < case.at]))


def rewritten(case: Crime) -> list[Entry]:
    old = case.entries[case.at]
    new = Entry(replace(old.leaf, subject="rewritten"), old.opening)
    return [*case.entries[: case.at], new, *case.entries[case.at + 1 :]]


def rebuild_with_another_key(case: Crime) -> Lines:
    case.at = 0
    return lines_of(export(rewritten(case), case.sizes, MALLORY))


def rebuild_and_name_our_key(case: Crime) -> Lines:
    lines = rebuild_with_another_key(case)
    lines[0]["key"] = SIGNER.vkey
    return lines


def rebuild_and_keep_our_checkpoints(case: Crime) -> Lines:
    ours = [line for line in case.lines if "checkpoint" in line]
    lines = lines_of(export(rewritten(case), case.sizes, MALLORY))
    return [ours.pop(0) if "checkpoint" in line else line for line in lines]


def fork(case: Crime) -> Lines:
    """With our own key: history is written anew behind a checkpoint that somebody has."""
    held = case.random.choice([s for s in [*case.sizes, len(case.entries)] if s > case.at])
    case.outside = tuple(notes(case.entries, [held]).values())
    return lines_of(export(rewritten(case), case.sizes))


def swap_checkpoints(case: Crime) -> Lines:
    lines = case.lines
    first, second = case.random.sample(
        [n for n, each in enumerate(lines) if [*each] == ["checkpoint"]], 2
    )
    lines[first], lines[second] = lines[second], lines[first]
    case.at = min(events_before(lines, first), events_before(lines, second))
    return lines


def events_before(lines: Lines, number: int) -> int:
    return len(events_in(lines[:number]))


def strip_checkpoints(case: Crime) -> Lines:
    case.at = 0
    return [line for line in case.lines if [*line] != ["checkpoint"]]


def strip_the_last_checkpoint(case: Crime) -> Lines:
    lines = case.lines
    case.at = case.sizes[-1]
    del lines[-2]
    if case.random.random() < 0.5:
        lines[0] |= next(line for line in reversed(lines) if "checkpoint" in line)
    return lines


def strip_a_signature(case: Crime) -> Lines:
    lines = case.lines
    number = case.random.choice([n for n, each in enumerate(lines) if "checkpoint" in each][1:])
    lines[number]["checkpoint"] = lines[number]["checkpoint"].partition("\n\n")[0] + "\n"
    case.at = events_before(lines, number)
    return lines


def change_the_header(case: Crime) -> Lines:
    lines = case.lines
    other = {
        "format": "gatepass-audit/2",
        "workspace": str(OTHERS["workspace"]),
        "origin": "gatepass/else",
        "size": lines[0]["size"] + 1,
        "key": MALLORY.vkey,
        "checkpoint": lines[0]["checkpoint"].replace("\n\n", "\n\n\n"),
        "surplus": 1,
    }
    member = case.random.choice(sorted(other))
    lines[0][member] = other[member]
    return lines


def change_the_end(case: Crime) -> Lines:
    lines = case.lines
    size = len(case.entries)
    ends: list[Lines] = [
        [],
        [{"end": size - 1}],
        [{"end": size}, {"end": size}],
        [{"end": size, "more": 1}],
        [{"end": str(size)}],
    ]
    return [*lines[:-1], *case.random.choice(ends)]


EXACT: dict[str, Callable[[Crime], Lines]] = {
    **{f"edit {member}": edit(member, covered=False) for member in sorted(OTHERS)},
    "edit details": forge_details(covered=False),
    "move the end of the salt": move_the_end_of_the_salt,
    "reorder": reorder(covered=False),
    "duplicate": duplicate(covered=False),
    "duplicate, covered": duplicate(covered=True),
}
"""What names its very index: the hash that was stored, the commitment or the count shows it."""

COVERED: dict[str, Callable[[Crime], Lines]] = {
    "delete": delete(covered=False),
    "cut the file": cut_the_file,
    **{f"edit {member}, covered": edit(member, covered=True) for member in sorted(OTHERS)},
    "edit details, covered": forge_details(covered=True),
    "delete, covered": delete(covered=True),
    "insert, covered": insert(covered=True),
    "reorder, covered": reorder(covered=True),
    "cut and close": cut_and_close,
    "rebuild with another key": rebuild_with_another_key,
    "rebuild and name our key": rebuild_and_name_our_key,
    "rebuild and keep our checkpoints": rebuild_and_keep_our_checkpoints,
}
"""What was made to look right by who has no key: found at the next checkpoint or before."""

CHECKPOINTS = {
    "insert": insert(covered=False),
    "swap checkpoints": swap_checkpoints,
    "strip checkpoints": strip_checkpoints,
    "strip the last checkpoint": strip_the_last_checkpoint,
    "strip a signature": strip_a_signature,
}
"""What shows itself as soon as something else does not fit."""

OUTSIDE = {"cut back to a checkpoint": cut_back_to_a_checkpoint, "fork": fork}
"""What only a checkpoint shows that was kept outside."""

NOT_OF_AN_EVENT = {"change the header": change_the_header, "change the end": change_the_end}

CRIMES = EXACT | COVERED | CHECKPOINTS | OUTSIDE | NOT_OF_AN_EVENT
MUTANTS = 500
SEEDS = {name: range(number, MUTANTS, len(CRIMES)) for number, name in enumerate(CRIMES)}


def test_there_are_500_mutants() -> None:
    assert sorted(seed for seeds in SEEDS.values() for seed in seeds) == [*range(MUTANTS)]
    assert min(len(seeds) for seeds in SEEDS.values()) >= 11


@pytest.mark.parametrize("name", CRIMES)
def test_tampering_is_found(name: str, tmp_path: Path) -> None:
    for seed in SEEDS[name]:
        case = crime(seed)
        honest, changed = case.lines, CRIMES[name](case)
        assert changed != honest
        with pytest.raises(Broken) as found:
            verified(tmp_path, text_of(changed), outside=case.outside)
        if name in EXACT:
            assert found.value.index == case.at
        if name in COVERED:
            vouched_for = max((size for size in case.sizes if size <= case.at), default=0)
            assert vouched_for <= found.value.index <= case.at
        if name in OUTSIDE | CHECKPOINTS:
            assert found.value.index <= case.at + 1


@pytest.mark.parametrize("name", OUTSIDE)
def test_these_would_pass_without_what_was_kept_outside(name: str, tmp_path: Path) -> None:
    case = crime(SEEDS[name][0])
    changed = text_of(OUTSIDE[name](case))
    verified(tmp_path, changed)
    with pytest.raises(Broken, match={"fork": "FORK"}.get(name, "CUT OFF")):
        verified(tmp_path, changed, outside=case.outside)


def test_a_rebuilt_log_passes_with_its_own_key_alone_and_the_report_says_so(tmp_path: Path) -> None:
    text = text_of(rebuild_with_another_key(crime(1)))
    report = verified(tmp_path, text, key=None)
    assert not report.pinned
    assert "FROM THE FILE: compare it with the published one" in report.text()
    with pytest.raises(Broken, match="another key"):
        verified(tmp_path, text)


def test_a_checkpoint_left_out_in_between_hides_no_event(tmp_path: Path) -> None:
    case = crime(2)
    lines = case.lines
    del lines[next(n for n, each in enumerate(lines) if [*each] == ["checkpoint"])]
    assert len(verified(tmp_path, text_of(lines)).events) == len(case.entries)


@pytest.mark.parametrize("seed", range(50))
def test_honest_logs_are_not_suspected(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    size = seed if seed < 10 else random.randrange(10, 200)
    of = entries(random, size)
    hidden = {number for number in range(size) if random.random() < random.choice([0, 0.3, 1])}
    shown = [replace(e, opening=None) if n in hidden else e for n, e in enumerate(of)]
    sizes = random.sample(range(size + 1), min(size + 1, random.randrange(12)))
    outside = [*notes(of, sizes[:2]).values(), export(of[: size // 2], []), export(of, sizes)]
    report = verified(tmp_path, export(shown, sizes), random.choice([SIGNER.vkey, None]), outside)
    assert (report.size, len(report.events), sum(report.events.values())) == (
        size,
        size,
        len(hidden),
    )
    assert report.checkpoints == len({*sizes, size})
    assert len(report.older) == len(outside)
    assert f"{size} of {size} events, {len(hidden)} without details" in report.text()
    assert SIGNER.vkey in report.text()


def test_two_checkpoints_of_one_size_are_fine(tmp_path: Path) -> None:
    lines = lines_of(export(entries(Random(1), 5), [3]))
    repeated = [each for line in lines for each in [line] * (2 if [*line] == ["checkpoint"] else 1)]
    assert verified(tmp_path, text_of(repeated)).checkpoints == 4


def test_an_empty_log_needs_a_signature_too(tmp_path: Path) -> None:
    """Else nothing at all would prove that nothing ever happened."""
    for note in (None, "", notes([], [0], MALLORY)[0]):
        lines = lines_of(export([], []))
        lines[0]["checkpoint"] = note
        for changed in ([lines[0], lines[-1]], [lines[0], {"checkpoint": note}, lines[-1]]):
            with pytest.raises(Broken):
                verified(tmp_path, text_of(changed))
    assert verified(tmp_path, export([], [])).size == 0


def test_the_end_of_the_last_line_may_be_missing(tmp_path: Path) -> None:
    assert verified(tmp_path, export(entries(Random(1), 3), []).removesuffix("\n")).size == 3


TEXT = export(entries(Random(7), 6), [2, 4])


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: "\n" + text,
        lambda text: "\ufeff" + text,
        lambda text: text + "\n",
        lambda text: text + "null\n",
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace('{"details"', '{ "details"', 1),
        lambda text: text.replace('"index":2', '"index":2,"index":2'),
        lambda text: text.replace('"index":2', '"index":2.0'),
        lambda text: text.replace('"index":1', '"index":true'),
        lambda text: text.replace('"index":2', '"index":NaN'),
        lambda text: text.replace('"index":2', '"index":1e999'),
        lambda text: text.replace('"index":2', f'"index":{"9" * 5000}'),
        lambda text: text.replace('"index":2', f'"index":{"[" * 100_000}'),
        lambda text: text.replace('"hash"', '"extra":1,"hash"', 1),
        lambda text: text.replace('"}\n{"end"', '","more":1}\n{"end"'),
        lambda text: text.replace('\n{"end"', '\n{"else":1}\n{"end"'),
        lambda text: text.replace(WORKSPACE, str(OTHERS["workspace"]), 3),
        lambda text: text.replace('"v":1', '"v":true', 1),
        lambda text: text.replace('"subject":"', '"subject":"\\ud800', 1),
        lambda text: text.replace('"salt":"', '"salt":null,"x":"', 1),
        lambda text: text.replace('"leaf":{', '"leaf":[{', 1),
        lambda text: text.replace("—", "\\u2014", 1),
        lambda text: '["leaf"]\n' * 3,
        lambda text: "5\n",
        lambda text: '{"a":"' + "x" * 2**23 + '"}',
        lambda text: text.replace("gatepass-audit/1", "gatepass-audit/9"),
    ],
)
def test_what_is_malformed_is_refused_and_nothing_else_is_raised(
    change: Callable[[str], str], tmp_path: Path
) -> None:
    assert change(TEXT) != TEXT
    with pytest.raises(Broken):
        verified(tmp_path, change(TEXT))


def test_a_line_has_8_mib_at_most(tmp_path: Path) -> None:
    """A file cannot fill the auditor's memory."""
    first = entry(Random(1), 0)
    for length, fits in ((2**22, True), (2**23, False)):
        details = "x" * length
        leaf = replace(first.leaf, commitment=commitment_of(bytes(32), details))
        text = export([Entry(leaf, Opening(bytes(32), details))], [])
        if fits:
            assert verified(tmp_path, text).size == 1
        else:
            with pytest.raises(Broken):
                verified(tmp_path, text)


def test_header_and_origin_cannot_name_another_workspace(tmp_path: Path) -> None:
    lines = lines_of(TEXT)
    other = str(OTHERS["workspace"])
    lines[0] |= {"workspace": other, "origin": f"gatepass/{other}"}
    with pytest.raises(Broken):
        verified(tmp_path, text_of(lines))


def test_events_of_another_workspace_are_refused_even_if_they_were_signed(tmp_path: Path) -> None:
    of = entries(Random(1), 4)
    of[2] = replace(of[2], leaf=replace(of[2].leaf, workspace=str(OTHERS["workspace"])))
    with pytest.raises(Broken, match="another log") as found:
        verified(tmp_path, export(of, []))
    assert found.value.index == 2


def test_a_signed_size_is_a_promise_too(tmp_path: Path) -> None:
    lines = lines_of(TEXT)
    root = Frontier().appending([bytes.fromhex(lines[1]["hash"])])[0].root
    lines.insert(2, {"checkpoint": SIGNER.sign(NAME, 2, root)})
    with pytest.raises(Broken, match="2 events that are not these"):
        verified(tmp_path, text_of(lines))


def test_a_fork_is_named_from_the_last_state_that_agrees(tmp_path: Path) -> None:
    case = crime(4)
    case.at = 5
    outside = [*notes(case.entries, [3, 6, len(case.entries)]).values()]
    with pytest.raises(Broken, match="FORK") as found:
        verified(tmp_path, export(rewritten(case), case.sizes), outside=outside)
    assert found.value.index == 3


@pytest.mark.parametrize(
    "key",
    [
        SIGNER.vkey.replace("+", "+0", 1),
        f"{NAME}+00000000+{SIGNER.vkey.split('+', 2)[2]}",
        f"{NAME}+{hashlib.sha256(f'{NAME}{chr(10)}{chr(2)}'.encode() + PUBLIC).hexdigest()[:8]}"
        f"+{base64.b64encode(bytes([2]) + PUBLIC).decode()}",
        NAME,
        "",
    ],
)
def test_a_malformed_key_checks_nothing(key: str, tmp_path: Path) -> None:
    for given_key in (key, None):
        with pytest.raises(Broken):
            verified(
                tmp_path,
                text_of([lines_of(TEXT)[0] | {"key": key}, *lines_of(TEXT)[1:]]),
                given_key,
            )


def test_an_empty_key_is_not_the_key_of_the_file(tmp_path: Path) -> None:
    """As `--key "$KEY"` gives it, where the variable is not set."""
    with pytest.raises(Broken, match="another key"):
        verified(tmp_path, TEXT, "")


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.replace("gatepass", "gatepasz", 1),
        lambda note: note.replace("—", "-"),
        lambda note: note.replace("\n\n", "\nextension\n\n"),
        lambda note: f"{note}{note.splitlines()[-1]}\n",
        lambda note: note.replace("\n4\n", "\n04\n"),
        lambda note: note.replace("\n4\n", "\n-4\n"),
    ],
)
def test_a_note_has_one_form(change: Callable[[str], str], tmp_path: Path) -> None:
    note = notes(entries(Random(7), 6), [4])[4]
    assert len(verified(tmp_path, TEXT, outside=[note]).older) == 1
    assert change(note) != note
    with pytest.raises(Broken):
        verified(tmp_path, TEXT, outside=[change(note)])


@pytest.mark.parametrize(
    "shape", [{"salt": None}, {"details": None}, {"salt": "zz"}, {"salt": ""}, {"details": 5}]
)
def test_salt_and_details_come_and_go_together(shape: Line, tmp_path: Path) -> None:
    lines = lines_of(TEXT)
    lines[1] |= shape
    with pytest.raises(Broken) as found:
        verified(tmp_path, text_of(lines))
    assert found.value.index == 0


@given(st.data())
def test_no_byte_can_be_changed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """But in the two places that nobody signed: when it was exported, and base64's loose ends."""
    raw = bytearray(TEXT.encode())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    folder = tmp_path_factory.mktemp("flipped")
    (folder / "file").write_bytes(raw)
    honest = [line | {"exported_at": ""} if "key" in line else line for line in lines_of(TEXT)]
    try:
        verify_file(folder / "file", SIGNER.vkey)
    except Broken:
        return
    read = [
        line | {"exported_at": ""} if "key" in line else line for line in lines_of(raw.decode())
    ]
    assert [each for each in read if [*each] != ["checkpoint"]] == [
        each for each in honest if [*each] != ["checkpoint"]
    ]


OUTSIDERS = entries(Random(3), 9)


@pytest.mark.parametrize(
    "outside",
    [
        "",
        "no note\n",
        "{}",
        "{",
        "[]",
        notes(OUTSIDERS, [4], MALLORY)[4],
        SIGNER.sign(NAME, 4, b"x" * 32),
        SIGNER.sign(NAME, 10, b"x" * 32),
    ],
)
def test_nothing_kept_outside_is_passed_over(outside: str, tmp_path: Path) -> None:
    with pytest.raises(Broken):
        verified(tmp_path, export(OUTSIDERS, []), outside=[outside])


def test_a_checkpoint_survives_mail(tmp_path: Path) -> None:
    note = notes(OUTSIDERS, [4])[4]
    for mailed in (note.replace("\n", "\r\n"), f"\n{note}\n\n", note.rstrip()):
        assert len(verified(tmp_path, export(OUTSIDERS, []), outside=[mailed]).older) == 1


def receipt(of: Sequence[Entry], indices: Iterable[int], signer: Signer = SIGNER) -> str:
    nodes = {(0, index): leaf_hash(each.leaf.canonical()) for index, each in enumerate(of)}
    _, whole = Frontier().appending([*nodes.values()])
    nodes |= {(node.level, node.index): node.hash for node in whole}
    events = [
        ReceiptEvent(i, of[i].leaf, of[i].opening, inclusion_proof(i, len(of), nodes))
        for i in indices
    ]
    return receipt_text(signer.vkey, notes(of, [len(of)], signer)[len(of)], events)


@pytest.mark.parametrize("size", [*range(1, 20), 33, 64])
def test_receipts_hold(size: int, tmp_path: Path) -> None:
    of = entries(Random(size), size)
    of[0] = replace(of[0], opening=None)
    report = verified(tmp_path, receipt(of, range(size)))
    assert (report.size, len(report.events), sum(report.events.values())) == (size, size, 1)
    assert verified(tmp_path, receipt(of, [size - 1]), key=None).size == size


def test_a_receipt_shows_that_a_log_was_cut_off(tmp_path: Path) -> None:
    """N10: the party's own copy of the tree's head is against a log without its tail."""
    of = entries(Random(5), 12)
    held = receipt(of, [3])
    assert verified(tmp_path, export(of, [7]), outside=[held]).size == 12
    with pytest.raises(Broken, match="CUT OFF") as found:
        verified(tmp_path, export(of[:7], [7]), outside=[held])
    assert found.value.index == 7


@pytest.mark.parametrize("seed", range(60))
def test_altered_receipts_are_refused(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    size = random.randrange(2, 40)
    of = entries(random, size)
    chosen = random.randrange(size)
    honest = receipt(of, [chosen])
    other = json.loads(receipt(of, [(chosen + 1) % size]))["events"][0]
    changes: list[Callable[[Line, Line], object]] = [
        lambda whole, event: event.update(index=(chosen + 1) % size),
        lambda whole, event: event.update(index=chosen - size),
        lambda whole, event: event.update(index=chosen + size),
        lambda whole, event: event.update(index=float(chosen)),
        lambda whole, event: event.update(index=str(chosen)),
        lambda whole, event: event.update(proof=other["proof"]),
        lambda whole, event: event["proof"].append("00" * 32),
        lambda whole, event: event["proof"].pop(),
        lambda whole, event: event["leaf"].update(subject="another"),
        lambda whole, event: event.update(details="{}"),
        lambda whole, event: event.update(surplus=1),
        lambda whole, event: whole.update(surplus=1),
        lambda whole, event: whole["events"].append(event),
        lambda whole, event: whole.update(key=MALLORY.vkey),
        lambda whole, event: whole.update(checkpoint=notes(of, [1])[1]),
        lambda whole, event: whole.update(checkpoint=notes(of, [size], MALLORY)[size]),
        lambda whole, event: whole.update(format="gatepass-receipt/2"),
    ]
    whole = json.loads(honest)
    changes[seed % len(changes)](whole, whole["events"][0])
    with pytest.raises(Broken):
        verified(tmp_path, text_of([whole]))
    with pytest.raises(Broken):
        verified(tmp_path, honest * 2)


def test_a_receipt_is_compared_with_a_checkpoint_of_its_size_alone(tmp_path: Path) -> None:
    of = entries(Random(5), 12)
    assert verified(tmp_path, receipt(of, [3]), outside=[receipt(of, [4])]).size == 12
    for outside in (notes(of, [11])[11], SIGNER.sign(NAME, 12, b"x" * 32)):
        with pytest.raises(Broken, match="kept outside"):
            verified(tmp_path, receipt(of, [3]), outside=[outside])


SOURCE = Path(audit_verify.__file__)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The one file, alone in a folder, as an auditor has it."""
    copy = shutil.copy(SOURCE, folder / "check.py")
    return subprocess.run(
        [sys.executable, "-I", copy, *arguments],
        cwd=folder,
        env={},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )


def test_the_file_runs_alone(tmp_path: Path) -> None:
    of = entries(Random(5), 12)
    (tmp_path / "log").write_text(export(of, [7]), encoding="utf-8")
    (tmp_path / "short").write_text(export(of[:7], [7]), encoding="utf-8")
    (tmp_path / "receipt").write_text(receipt(of, [3]), encoding="utf-8")
    good = run(tmp_path, "log", "--key", SIGNER.vkey, "--checkpoint", "receipt", "short")
    assert (good.returncode, good.stderr) == (0, "")
    assert "12 of 12 events" in good.stdout
    assert "2 kept outside" in good.stdout
    bad = run(tmp_path, "short", "--checkpoint", "receipt")
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr == "FIRST BAD INDEX 7: CUT OFF: a checkpoint kept outside has more events\n"
    assert run(tmp_path, "nowhere").returncode == 1


def test_a_hostile_file_cannot_write_over_the_warning(tmp_path: Path) -> None:
    name = "gatepass/\x1b[2J\N{SNOWMAN}"
    forged = text_of([{"format": "gatepass-receipt/1", "key": "", "checkpoint": "", "events": []}])
    encoded = b"\x01" + MALLORY._private.public_key().public_bytes_raw()
    key_id = hashlib.sha256(f"{name}\n".encode() + encoded).digest()[:4]
    text = f"{name}\n0\n{'A' * 43}=\n"
    signature = base64.b64encode(key_id + MALLORY._private.sign(text.encode())).decode()
    whole = json.loads(forged) | {
        "key": f"{name}+{key_id.hex()}+{base64.b64encode(encoded).decode()}",
        "checkpoint": f"{text}\n— {name} {signature}\n",
    }
    shown = verified(tmp_path, text_of([whole]), key=None).text()
    assert shown.isascii()
    assert "\x1b" not in shown


def test_an_auditor_can_read_all_of_it() -> None:
    text = SOURCE.read_text()
    assert len(text.splitlines()) <= 150
    imported = {
        module.split(".")[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for module in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [a.name for a in node.names]
        )
    }
    assert imported - sys.stdlib_module_names == {"cryptography"}


MANY = 100_000


def write_many(file: Path) -> None:
    """A log of `MANY` events with a checkpoint for each hundred, its lines put together by hand.

    One event's own line is the mould: only the id, the hash and the index differ.
    """
    one = entry(Random(1), 0)
    mould = event_line(0, one.leaf, bytes(32), one.opening)
    mould = mould.replace(bytes(32).hex(), "{hash}").replace('"index":0', '"index":{index}')
    before, after = mould.split("{hash}")
    behind_hash, behind_index = after.split("{index}")
    start, end = one.leaf.canonical().decode().split(one.leaf.id)
    to_id, from_id = behind_index.split(one.leaf.id)
    frontier, lines, note = Frontier(), [""], ""
    for first in range(0, MANY, 100):
        ids = [f"{number:032x}" for number in range(first, first + 100)]
        hashes = [leaf_hash(f"{start}{each}{end}".encode()) for each in ids]
        frontier, _ = frontier.appending(hashes)
        note = SIGNER.sign(NAME, frontier.size, frontier.root)
        lines += [
            f"{before}{hashed.hex()}{behind_hash}{first + at}{to_id}{each}{from_id}"
            for at, (each, hashed) in enumerate(zip(ids, hashes, strict=True))
        ]
        lines.append(checkpoint_line(note))
    lines[0] = header_line(ExportHeader(WORKSPACE, NAME, SIGNER.vkey, AT, MANY, note))
    file.write_text("".join([*lines, end_line(MANY)]), encoding="utf-8", newline="")


def test_it_checks_100_000_events_in_less_than_5_seconds(tmp_path: Path) -> None:
    """As an auditor runs it; counted is the processor's time, whoever else is busy here."""
    write_many(tmp_path / "log")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = run(tmp_path, "log", "--key", SIGNER.vkey)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert f"{MANY} of {MANY} events, 0 without details; 1000 checkpoints" in found.stdout
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert took < 5, f"{took:.1f} s"
