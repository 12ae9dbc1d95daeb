"""The log of a real house, taken out and checked as an auditor does: offline, by a script."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from typer.testing import CliRunner

from adapters import audit_verify
from adapters.audit_verify import Broken, verify_file
from adapters.root_key import create_key_file
from cli import app
from command_line.audit import _told_of
from commands.audit_tree import AuditSequencer, catch_up
from commands.public_session import revoke
from commands.work import Transactions
from tests.rooms.audit_log import exported, heads, key_of, numbered, write
from tests.rooms.house import House, furnished_house

pytestmark = pytest.mark.timeout(120)


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    """A house in which something happened: one completed, one revoked, one open."""
    async with furnished_house(database_url) as house:
        sequencer = AuditSequencer(house.transactions)
        for name in ("Vera", "Otto", "Ida"):
            moved = await house.create(
                name=f"{name} Ltd", email=f"{name}@{house.workspace_id}.example"
            )
            await sequencer.round()
            if name == "Vera":
                await complete(house, moved.issued[0].id)
            if name == "Otto":
                async with house.transactions.work() as work:
                    await revoke(work, house.target(moved.issued[0]), "Otto is our competitor")
            house.clock.turn(minutes=2)
            await sequencer.round()
        yield house


async def complete(house: House, session_id: Any) -> None:
    visitor = await house.enter(session_id)
    await house.complete(visitor, "profile")
    await house.complete(visitor, "terms")


def checked_alone(path: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """The standalone script on a file, in isolated Python, without a network if that can be."""
    script = [sys.executable, "-I", audit_verify.__file__, str(path), *more]
    offline = [*offline_prefix(), *script]
    return subprocess.run(offline, capture_output=True, text=True, check=False)


@cache
def offline_prefix() -> tuple[str, ...]:
    """What runs a program in a network namespace of its own, where the machine allows it."""
    unshare = shutil.which("unshare")
    prefix = (unshare, "-rn") if unshare else ()
    probe = subprocess.run([*prefix, "true"], capture_output=True, check=False)
    return prefix if probe.returncode == 0 else ()


async def test_the_log_of_a_house_verifies_by_the_script_alone(
    house: House, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    await exported(house, log)
    key = await key_of(house)
    found = checked_alone(log, "--key", key)
    assert found.returncode == 0, found.stderr
    events = len(await numbered(house))
    assert f"{events} of {events} events, 0 without details" in found.stdout
    assert "given" in found.stdout


async def test_the_log_says_what_happened_to_everything(house: House, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    await exported(house, log)
    lines = [json.loads(each) for each in log.read_text().splitlines()]
    events = [each["leaf"]["event"] for each in lines if "leaf" in each]
    assert {"public_session.completed", "public_session.revoked", "task.completed"} <= set(events)
    assert events[-1] == "audit.exported"
    told = [json.loads(each["details"]) for each in lines if "leaf" in each]
    assert "Otto is our competitor" in [each["reason"] for each in told]
    assert [each["checkpoint"] for each in lines[1:] if "checkpoint" in each] == [
        each.note for each in await heads(house)
    ]


async def test_without_details_no_word_of_a_person_is_in_it(house: House, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    await exported(house, log, details=False)
    assert "competitor" not in log.read_text()
    report = verify_file(log)
    assert sum(report.events.values()) == len(report.events) > 0


EMPTIED = """
    UPDATE audit SET sealed = NULL WHERE session_id = '{0}';
    UPDATE submission SET sealed = NULL WHERE session_id = '{0}'
"""
DESTROYED = "UPDATE data_key SET wrapped = NULL, destroyed_at = now() WHERE subject_id = '{0}'"


async def run_sql(house: House, statements: str) -> None:
    async with house.transactions.work() as work:
        for each in statements.split(";"):
            await work.db.execute(text(each))


@pytest.mark.parametrize("erase", [EMPTIED, DESTROYED, f"{EMPTIED};{DESTROYED}"])
async def test_an_erased_session_leaves_the_log_whole(
    house: House, tmp_path: Path, erase: str
) -> None:
    """Emptied rows, a destroyed key, or both: the details are gone, and nobody is alarmed."""
    before, after = tmp_path / "before.jsonl", tmp_path / "after.jsonl"
    await exported(house, before)
    rows = await numbered(house)
    (session,) = {each.session_id for each in rows if each.event == "public_session.completed"}
    assert session is not None
    await run_sql(house, erase.format(session))
    house.transactions.vault.forget(session)
    wanted = await exported(house, after)
    found = checked_alone(after, "--checkpoint", str(before))
    assert found.returncode == 0, found.stderr
    assert wanted.unreadable == []
    hidden = len([each for each in rows if each.session_id == session])
    assert sum(verify_file(after).events.values()) == hidden >= 5


TAMPERED = {
    "another event": "UPDATE audit SET event = 'public_session.declined' WHERE {place}",
    "another doer": "UPDATE audit SET actor = 'token:mallory' WHERE {place}",
    "another time": "UPDATE audit SET at = at + interval '1 second' WHERE {place}",
    "another subject": "UPDATE audit SET subject = 'x' WHERE {place}",
    "another commitment": "UPDATE audit SET commitment = '\\x00' WHERE {place}",
    "another hash": "UPDATE audit SET leaf_hash = '\\x00' WHERE {place}",
    "no hash": "UPDATE audit SET leaf_hash = NULL WHERE {place}",
    "taken out": "DELETE FROM audit WHERE {place}",
}


@pytest.mark.parametrize("how", TAMPERED)
async def test_what_was_changed_in_the_table_is_found_at_its_place(
    house: House, tmp_path: Path, how: str
) -> None:
    log = tmp_path / "log.jsonl"
    await catch_up(house.transactions, house.workspace_id)
    await run_sql(house, TAMPERED[how].format(place="position = 11"))
    await exported(house, log)
    found = checked_alone(log)
    assert found.returncode == 1
    assert "FIRST BAD INDEX 11:" in found.stderr


async def test_a_log_whose_tail_was_cut_off_is_exported_as_it_is_stored(
    house: House, tmp_path: Path
) -> None:
    """Nothing is signed over it again, so that the signature contradicts what is left."""
    log = tmp_path / "log.jsonl"
    signed = await catch_up(house.transactions, house.workspace_id)
    await run_sql(house, "DELETE FROM audit WHERE position >= 11")
    wanted = await exported(house, log)
    assert wanted.is_broken
    assert "does not hold what was signed last" in " ".join(_told_of(wanted))
    assert [each.note for each in await heads(house)][-1] == signed.note
    found = checked_alone(log)
    assert found.returncode == 1
    assert "FIRST BAD INDEX 11:" in found.stderr


async def test_events_whose_places_were_swapped_are_found(house: House, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    await catch_up(house.transactions, house.workspace_id)
    await run_sql(
        house,
        "UPDATE audit SET position = -1 WHERE position = 11;"
        "UPDATE audit SET position = 11 WHERE position = 12;"
        "UPDATE audit SET position = 12 WHERE position = -1",
    )
    await exported(house, log)
    with pytest.raises(Broken) as caught:
        verify_file(log)
    # Each is as it was written, so that only the next head tells: what is before it still holds.
    assert caught.value.index <= 11


async def test_details_that_were_exchanged_are_found(house: House, tmp_path: Path) -> None:
    """A sealed record is bound to its row: another row's does not open, and the export says so."""
    log = tmp_path / "log.jsonl"
    await run_sql(
        house,
        "UPDATE audit SET sealed = (SELECT sealed FROM audit WHERE position = 10)"
        " WHERE position = 11",
    )
    assert (await exported(house, log)).unreadable == [11]
    assert verify_file(log).size > 11


async def test_a_log_that_was_rebuilt_by_its_own_key_is_found_by_an_older_checkpoint(
    house: House, tmp_path: Path
) -> None:
    """Whoever has the database and every key can sign anything; what was given away tells."""
    kept, log = tmp_path / "kept.txt", tmp_path / "log.jsonl"
    kept.write_text((await catch_up(house.transactions, house.workspace_id)).note)
    await run_sql(
        house,
        "DELETE FROM audit WHERE event = 'public_session.revoked';"
        "DELETE FROM audit_node; DELETE FROM audit_checkpoint;"
        "UPDATE audit SET position = NULL, leaf_hash = NULL",
    )
    await exported(house, log)
    assert verify_file(log).checkpoints == 1, "by itself it is whole"
    found = checked_alone(log, "--checkpoint", str(kept))
    assert found.returncode == 1
    assert "FIRST BAD INDEX" in found.stderr


@pytest.mark.load
async def test_two_thousand_events_are_exported_and_checked_quickly(
    house: House, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    for _ in range(4):
        await write(house, 500)
    started = time.perf_counter()
    wanted = await exported(house, log)
    between = time.perf_counter()
    report = verify_file(log)
    checked = time.perf_counter() - between
    assert wanted.done == wanted.size == len(report.events) > 2000
    assert between - started < 20, f"exported in {between - started:.1f} s"
    assert checked < 1, f"checked in {checked:.2f} s"


async def test_an_export_keeps_a_page_in_memory_and_no_transaction_open(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page is a transaction of its own: 100,000 events hold up no vacuum and no memory."""
    from commands import audit_export

    monkeypatch.setattr(audit_export, "PAGE", 5)
    begun: list[float] = []
    work = Transactions.work

    def counted(self: Transactions, *args: Any, **named: Any) -> Any:
        begun.append(0)
        return work(self, *args, **named)

    monkeypatch.setattr(Transactions, "work", counted)
    size = (await exported(house, tmp_path / "log.jsonl")).size
    assert len(begun) >= size / 5
    assert verify_file(tmp_path / "log.jsonl").size == size


@pytest.fixture
def environ(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key_file = tmp_path / "root.key"
    create_key_file(key_file)
    monkeypatch.setenv("GATEPASS_DATABASE_URL", database_url)
    monkeypatch.setenv("GATEPASS_ROOT_KEY_FILE", str(key_file))


def told(*args: str, status: int = 0) -> Any:
    found = CliRunner().invoke(app, ["audit", *args])
    assert found.exit_code == status, (found.output, found.exception)
    return found


@pytest.mark.usefixtures("environ")
def test_at_the_command_line(tmp_path: Path) -> None:
    """Export, key, verify, script: what an operator does, and an auditor without anything."""
    CliRunner().invoke(app, ["workspace", "create", "acme", "--name", "Acme Ltd"])
    log, script = tmp_path / "log.jsonl", tmp_path / "check.py"
    key = told("key", "-w", "acme").stdout.strip()
    assert key.startswith("gatepass/")
    found = told("export", str(log), "-w", "acme")
    assert "events, signed" in found.stderr
    assert log.stat().st_mode & 0o777 == 0o600
    assert "Everything holds" in told("verify", str(log), "--key", key).stdout
    assert "Everything holds" in told("verify", str(log), "--checkpoint", str(log)).stdout
    assert told("export", "-", "-w", "acme", "--no-details").stdout.count('"details":null') >= 1
    script.write_text(told("script").stdout)
    alone = subprocess.run([sys.executable, "-I", script, log], capture_output=True, check=False)
    assert alone.returncode == 0
    whole = log.read_text()
    log.write_text(whole.replace("workspace.created", "workspace.deleted"))
    assert "FIRST BAD INDEX 0:" in told("verify", str(log), status=1).stderr


@pytest.mark.usefixtures("environ")
def test_the_only_workspace_need_not_be_named(tmp_path: Path) -> None:
    log = str(tmp_path / "log.jsonl")
    assert "gatepass workspace create" in told("export", log, status=1).stderr
    CliRunner().invoke(app, ["workspace", "create", "acme", "--name", "Acme Ltd"])
    told("export", log)
    key = told("key").stdout.strip()
    assert "Everything holds" in told("verify", log, "--key", key).stdout
    CliRunner().invoke(app, ["workspace", "create", "bolt", "--name", "Bolt Ltd"])
    for command in (("export", log), ("key",)):
        assert "say which with -w: acme, bolt." in told(*command, status=1).stderr
    assert told("key", "-w", "acme").stdout.strip() == key
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".part"] == []


def test_checking_needs_no_database_and_no_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEPASS_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("GATEPASS_ROOT_KEY_FILE", str(tmp_path / "missing"))
    assert "missing.jsonl" in told("verify", str(tmp_path / "missing.jsonl"), status=1).stderr
    (tmp_path / "empty").touch()
    assert "FIRST BAD INDEX" in told("verify", str(tmp_path / "empty"), status=1).stderr
    assert "def verify_file" in told("script").stdout


@pytest.mark.usefixtures("environ")
def test_an_export_that_fails_leaves_no_file(tmp_path: Path) -> None:
    told("export", str(tmp_path / "log.jsonl"), "-w", "nobody", status=1)
    told("export", str(tmp_path / "no" / "folder" / "log.jsonl"), "-w", "nobody", status=1)
    assert [each.name for each in tmp_path.iterdir()] == ["root.key"]
