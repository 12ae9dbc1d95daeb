"""A database as release 0.1 left it: its tables, and rows that it wrote in clear."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from adapters.keyring import Keyring, link_digest
from store import migrate
from store.columns import new_id
from tests.rooms.house import DOCUMENT, FORM

FIRST_RELEASE = "0001"
MARK = "kanarienvogel"
LONG = timedelta(days=300)


@dataclass(slots=True)
class Left:
    """What release 0.1 left: ids, and the secrets that people have of it."""

    roots: Mapping[int, bytes]
    workspace: UUID = field(default_factory=new_id)
    at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    tokens: dict[int, str] = field(default_factory=dict)
    token_ids: dict[int, UUID] = field(default_factory=dict)
    parties: dict[int, UUID] = field(default_factory=dict)
    waiting: dict[int, UUID] = field(default_factory=dict)
    links: dict[UUID, str] = field(default_factory=dict)
    codes: dict[int, str] = field(default_factory=dict)
    bound: dict[int, tuple[UUID, str]] = field(default_factory=dict)
    done: dict[int, UUID] = field(default_factory=dict)
    keyring: Keyring = field(init=False)

    def __post_init__(self) -> None:
        self.keyring = Keyring(self.roots)


def leave(url: str, roots: Mapping[int, bytes]) -> Left:
    """Makes the tables of release 0.1, and rows under each version of its root key."""
    migrate.upgrade(url, FIRST_RELEASE)
    left = Left(roots)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        write = Writer(connection)
        _workspace(write, left)
        for version in roots:
            _token(write, left, version)
            _party(write, left, version)
            left.waiting[version] = _session(write, left, version, "waiting")
            _code(write, left, version)
            _in_progress(write, left, version)
            left.done[version] = _session(write, left, version, "completed")
    return left


@dataclass(frozen=True, slots=True)
class Writer:
    """Inserts rows by their columns; JSON goes into columns that are given as dict or list."""

    connection: psycopg.Connection[Any]

    def __call__(self, table: str, **columns: Any) -> UUID:
        known = {"id": new_id()} if table != "idempotency" else {}
        values = {
            name: Jsonb(value) if isinstance(value, dict | list) else value
            for name, value in (known | columns).items()
        }
        statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(sql.Identifier(each) for each in values),
            sql.SQL(", ").join(sql.Placeholder() for _ in values),
        )
        self.connection.execute(statement, list(values.values()))
        return UUID(str(values.get("id", UUID(int=0))))


def _workspace(write: Writer, left: Left) -> None:
    write(
        "workspace",
        id=left.workspace,
        key="acme",
        name="Acme",
        contact="help@acme.example",
        created_at=left.at,
    )
    for kind, key, body in (("form", "profile", FORM), ("document", "terms", DOCUMENT)):
        write(
            "definition",
            workspace_id=left.workspace,
            kind=kind,
            key=key,
            version=1,
            status="published",
            body=body,
            digest="",
            created_at=left.at,
            published_at=left.at,
        )
    _audit(write, left, "workspace.created", subject="workspace:acme", details={"name": "Acme"})


def _token(write: Writer, left: Left, version: int) -> None:
    text = left.tokens[version] = f"gp_api_of-release-one-{version}"
    left.token_ids[version] = write(
        "token",
        workspace_id=left.workspace,
        name=f"Token {MARK} {version}",
        email=f"{MARK}{version}@acme.example" if version == 1 else None,
        digest=left.keyring.digest("token", text, version),
        key_version=version,
        created_at=left.at,
    )
    write(
        "idempotency",
        token_id=left.token_ids[version],
        key=f"key-{version}",
        request_digest="0" * 64,
        status=201,
        body={"text": f'{{"name": "{MARK}"}}'},
        created_at=left.at,
    )


def _party(write: Writer, left: Left, version: int) -> None:
    left.parties[version] = write(
        "party",
        workspace_id=left.workspace,
        kind="vendor",
        name=f"Müller {MARK} {version} GmbH",
        email=f"Vera.{MARK}{version}@vendor.example",
        locale="de",
        zone="Europe/Berlin",
        attributes={"company": f"{MARK} {version}", "founded": 1999, "tags": ["a", "b"]},
        state="",
        test=False,
        failed_verifications=0,
        created_at=left.at,
        updated_at=left.at,
    )
    _audit(write, left, "party.created", party=left.parties[version], details={"kind": "vendor"})


def _session(write: Writer, left: Left, version: int, name: str) -> UUID:
    session = new_id()
    token = left.links[session] = left.keyring.link_token(session, 1, version)
    is_over = name == "completed"
    write(
        "public_session",
        id=session,
        workspace_id=left.workspace,
        party_id=left.parties[version],
        template_key="intake",
        template_version=1,
        title="Vendor intake",
        subject=f"Subject {MARK} {version}",
        cause=f"by-hand:{name}:{version}",
        status="completed" if is_over else "in_progress" if name == "bound" else "issued",
        end_reason="completed" if is_over else None,
        issued_at=left.at,
        expires_at=left.at + LONG,
        ended_at=left.at if is_over else None,
        settled_at=left.at if is_over else None,
        ordered=False,
        scope={"party_kinds": ["vendor"], "subject": "optional"},
        reminders=[],
        deadline_moves=0,
        link_epoch=1,
        link_digest=link_digest(token),
        key_version=version,
        code_counter=1 if name == "waiting" else 0,
        fence=1 if name == "bound" else 0,
        issued_by="token:t1",
        notify_email=f"{MARK}-told@acme.example" if version == 1 else None,
        rationale=f"Rationale {MARK}",
        message=f"Message {MARK}",
        decline_reason="",
        mail_state="bounced",
        mail_detail=f"550 no {MARK}",
        advance="none",
        advance_reason="",
    )
    _tasks(write, left, session, is_over=is_over)
    _mail(write, left, session, version)
    _audit(write, left, "public_session.issued", session=session, details={"said": MARK})
    return session


def _tasks(write: Writer, left: Left, session: UUID, *, is_over: bool) -> None:
    common = {"session_id": session, "help": "", "completed_at": left.at if is_over else None}
    profile = write(
        "task", **common, position=0, key="profile", kind="form", title="Profile",
        form_key="profile", form_version=1,
    )  # fmt: skip
    write(
        "task", **common, position=1, key="terms", kind="acknowledgment", title="Terms",
        document_key="terms", document_version=1, statement="I have read the terms.",
    )  # fmt: skip
    if is_over:
        _submission(write, left, session, profile)


def _submission(write: Writer, left: Left, session: UUID, task: UUID) -> None:
    write(
        "submission",
        workspace_id=left.workspace,
        session_id=session,
        task_id=task,
        attempt=1,
        body={"company": f"Captured {MARK}"},
        evidence={"form": "profile", "form_version": 1, "locale": "de"},
        binding_id=new_id(),
        submitted_at=left.at,
    )


def _mail(write: Writer, left: Left, session: UUID, version: int) -> None:
    address = f"Vera.{MARK}{version}@vendor.example"
    write(
        "mail",
        workspace_id=left.workspace,
        kind="invitation",
        session_id=session,
        recipient_digest=left.keyring.address_digest(address),
        cause=f"invitation:{session}:1",
        state="bounced",
        detail=f"550 no {MARK}",
        attempts=1,
        created_at=left.at,
        sent_at=left.at,
    )


def _code(write: Writer, left: Left, version: int) -> None:
    session = left.waiting[version]
    left.codes[version] = left.keyring.code(session, 1, version, 8)
    write(
        "code",
        session_id=session,
        counter=1,
        key_version=version,
        created_at=left.at,
        expires_at=left.at + LONG,
        tries=0,
    )


def _in_progress(write: Writer, left: Left, version: int) -> None:
    """A session with a browser in it, which has its cookie since before."""
    session, binding = _session(write, left, version, "bound"), new_id()
    secret = left.keyring.binding_secret(binding, "door-1", version)
    left.bound[version] = session, secret
    write(
        "binding",
        id=binding,
        session_id=session,
        fence=1,
        door_digest=left.keyring.digest("door", "door-1", version),
        digest=left.keyring.digest("binding", secret, version),
        key_version=version,
        browser=f"Firefox {MARK}",
        bound_at=left.at,
        last_seen_at=left.at,
    )
    write.connection.execute(
        "UPDATE public_session SET binding_id = %s WHERE id = %s", [binding, session]
    )


def _audit(
    write: Writer,
    left: Left,
    event: str,
    *,
    session: UUID | None = None,
    party: UUID | None = None,
    subject: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    write(
        "audit",
        workspace_id=left.workspace,
        event=event,
        actor="operator",
        actor_label=f"Olga {MARK}",
        session_id=session,
        party_id=party,
        subject=subject,
        reason=f"Reason {MARK}",
        details=dict(details or {}),
        at=left.at,
    )
