"""The one catalogue of every number and address that an installation may set.

Each field of `Settings` is one setting. Its dotted name is the field's name with the first
underscore read as a dot (`code_life` is `code.life`), its environment variable is that name in
capitals behind `GATEPASS_` (`GATEPASS_CODE_LIFE`). Lengths of time are `timedelta` here and
seconds, or ISO 8601 durations, outside.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from domain.concurrency import Overflow
from domain.second_factor import SecondFactorRule
from domain.setting import (
    DAY,
    HOUR,
    MINUTE,
    OF_SESSION,
    OF_WORKSPACE,
    SECOND,
    Setting,
    described,
)
from domain.setting import address as _address
from domain.setting import count as _count
from domain.setting import length as _length
from domain.setting import setting as _setting
from domain.setting import switch as _switch
from domain.setting import text as _text
from domain.sign_in_settings import SignInSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SignInSettings):
    """Every setting with its default; `adapters/settings.py` reads the environment into one."""

    # Where things are.
    database_url: str = _text(
        "postgresql+psycopg://gatepass@127.0.0.1:5432/gatepass",
        "PostgreSQL, as a SQLAlchemy URL",
        secret=True,
    )
    temporal_address: str = _text("127.0.0.1:7233", "host:port of the Temporal frontend")
    temporal_namespace: str = _text("gatepass", "Temporal namespace of this installation")
    temporal_tls: bool = _switch(default=False, meaning="Talk TLS to Temporal")
    temporal_api_key_file: str = _text("", "File that holds Temporal's API key; empty for none")
    temporal_metrics_address: str = _text(
        "", "host:port where a worker serves its metrics to Prometheus; empty for none"
    )
    smtp_url: str = _text(
        "smtp://127.0.0.1:1025",
        "Where mail is handed over: smtp://, smtp+starttls:// or smtps://, user:password@host:port",
        secret=True,
    )
    mail_from: str = _text("Gatepass <no-reply@gatepass.localhost>", "Sender of every mail")
    mail_bounce_address: str = _text(
        "bounces@gatepass.localhost", "Envelope sender: where delivery reports return to"
    )
    public_url: str = _text(
        "http://localhost:8000", "Base of every mailed link, as parties reach it"
    )
    trusted_proxies: str = _text(
        "", "Networks (CIDR, comma separated) whose X-Forwarded-For and -Proto are believed"
    )
    root_key_file: str = _text(
        ".gatepass/root.key", "File of root key versions, outside PostgreSQL and its backups"
    )
    root_key: str = _text(
        "",
        "Root key versions as `1:base64,2:base64`, instead of the file",
        secret=True,
    )
    root_key_command: str = _text(
        "",
        "Command that prints the root key's lines, as from a key service, instead of the file",
        secret=True,
    )
    key_epoch_kept_for: timedelta = _length(
        35 * DAY,
        DAY,
        10 * 366 * DAY,
        "An epoch may be destroyed this long after the next: as long as its backups are kept",
    )
    object_store: str = _text(
        ".gatepass/objects", "Where uploaded files lie: a folder, or s3://, gs://, az://"
    )
    audit_witness: str = _text(
        "",
        "Where each signed head of the audit log is kept outside: a folder, or s3://, gs://, az://;"
        " empty for nowhere",
    )
    log_level: str = _text("info", "debug, info, warning or error")

    # The party's door: codes (C11 to C14).
    code_digits: int = _count(8, 6, 9, "Digits of a one-time code; 8 are 26 bits (ASVS 6.5.4)")
    code_life: timedelta = _length(
        10 * MINUTE,
        MINUTE,
        2 * HOUR,
        "A code is good for this long; raise it where mail is slow",
        **OF_SESSION,
    )
    code_tries_per_browser: int = _count(
        5, 1, 10, "Wrong codes from one browser before it needs a new one"
    )
    code_tries_per_code: int = _count(
        20, 5, 100, "Wrong codes from all browsers before a code is spent"
    )
    code_failures_per_party: int = _count(
        100,
        20,
        1000,
        "Wrong codes of one party before it is locked until an administrator clears it",
    )
    code_mail_interval: timedelta = _length(
        MINUTE, 10 * SECOND, HOUR, "Least time between two code mails", **OF_SESSION
    )
    code_mails_per_hour: int = _count(
        5, 1, 60, "Code mails to one address in an hour", **OF_SESSION
    )
    code_mails_per_day: int = _count(20, 5, 500, "Code mails to one address in a day", **OF_SESSION)

    # The party's room.
    binding_idle: timedelta = _length(
        30 * MINUTE,
        5 * MINUTE,
        12 * HOUR,
        "A party's browser may be idle for this long",
        **OF_SESSION,
    )
    binding_grace: timedelta = _length(
        60 * SECOND,
        20 * SECOND,
        10 * MINUTE,
        "Time to answer the idle warning (WCAG 2.2.1: 20 s at least)",
        **OF_SESSION,
    )
    binding_touch_interval: timedelta = _length(
        15 * SECOND, SECOND, MINUTE, "Activity is written down at most this often"
    )
    signing_idle: timedelta = _length(
        5 * MINUTE, MINUTE, 12 * HOUR, "A signer's window may be idle for this long"
    )
    signing_grace: timedelta = _length(
        60 * SECOND,
        20 * SECOND,
        10 * MINUTE,
        "Time to answer a signer's idle warning (WCAG 2.2.1: 20 s at least)",
    )
    window_alive: timedelta = _length(
        20 * SECOND,
        5 * SECOND,
        2 * MINUTE,
        "A window that is not heard of for this long is taken to be closed",
    )
    exit_url: str = _address(
        "",
        "Where whoever cancels or lost a window is led, signer or member: https, or http on this"
        " machine; empty for a page of ours",
        **OF_WORKSPACE,
    )
    room_poll_interval: timedelta = _length(
        timedelta(milliseconds=400),
        timedelta(milliseconds=100),
        5 * SECOND,
        "How often a process asks which open pages have ended",
    )
    room_body_bytes: int = _setting(
        64 * 1024, "bytes", "Largest form a party may post", low=4 * 1024, high=1024 * 1024
    )

    # Uploads.
    upload_stall: timedelta = _length(
        30 * SECOND, 5 * SECOND, 10 * MINUTE, "An upload of which nothing comes is given up"
    )
    clamd_address: str = _text(
        "", "host:port of ClamAV's clamd, which checks every uploaded file; empty for none"
    )
    clamd_most_bytes: int = _setting(
        100 * 1024 * 1024,
        "bytes",
        "Largest file that clamd takes, its StreamMaxLength; larger ones are refused at once",
        low=1024 * 1024,
        high=4 * 1024 * 1024 * 1024,
    )

    # Members and their sessions.
    session_idle_warning_after: timedelta = _length(
        5 * MINUTE, MINUTE, 12 * HOUR, "Inactivity after which a member is warned", **OF_WORKSPACE
    )
    session_warning_grace: timedelta = _length(
        15 * SECOND,
        10 * SECOND,
        10 * MINUTE,
        "Time to answer the warning; without an answer the member is logged out",
        accessible=20 * SECOND,
        **OF_WORKSPACE,
    )
    session_limit_absolutely: bool = _switch(
        default=True,
        meaning="End every member session after a fixed time, active or not",
        **OF_WORKSPACE,
    )
    session_absolute_timeout: timedelta = _length(
        DAY, 5 * MINUTE, 30 * DAY, "That time, counted from signing in", **OF_WORKSPACE
    )
    session_allow_concurrent: bool = _switch(
        default=False,
        meaning="Let a member be signed in more than once; off, the newest session ends the others",
        **OF_WORKSPACE,
    )
    session_concurrent_limit: int = _count(
        5, 1, 5, "Sessions of one member at once, where more than one is allowed", **OF_WORKSPACE
    )
    session_overflow: str = _text(
        Overflow.REFUSE_NEW.value,
        "What one more sign-in does at the limit",
        choices=(Overflow.REFUSE_NEW.value, Overflow.DISPLACE_OLDEST.value),
        **OF_WORKSPACE,
    )
    session_check_concurrency: bool = _switch(
        default=True,
        meaning="Check the limits at all; who signs in while this is off stays until the end",
        **OF_WORKSPACE,
    )
    session_kill_retention: timedelta = _length(
        4 * HOUR,
        timedelta(),
        30 * DAY,
        "A killed session's row is kept for this long, then goes at the next housekeeping",
    )
    session_touch_interval: timedelta = _length(
        15 * SECOND, SECOND, MINUTE, "A member's activity is written down at most this often"
    )
    login_failures: int = _count(
        10, 3, 100, "Wrong passwords in a row that lock a member's sign-in", **OF_WORKSPACE
    )
    login_lock: timedelta = _length(
        15 * MINUTE,
        MINUTE,
        30 * DAY,
        "A locked sign-in opens by itself after this; an administrator can clear it before",
        **OF_WORKSPACE,
    )
    login_second_factor: str = _text(
        SecondFactorRule.OPTIONAL.value,
        "Whether members may have, or must set up, an authenticator app beside the password",
        choices=tuple(SecondFactorRule),
        **OF_WORKSPACE,
    )
    login_guest_name: str = _text(
        "Guest", "The person in the login report when nobody was recognised", **OF_WORKSPACE
    )
    login_known_device: timedelta = _length(
        180 * DAY,
        DAY,
        400 * DAY,
        "A member is told of a sign-in where there was none for this long",
        **OF_WORKSPACE,
    )
    token_access: timedelta = _length(
        timedelta(seconds=8000),
        MINUTE,
        DAY,
        "A member's access token for the API is good for this long",
        **OF_WORKSPACE,
    )
    token_refresh: timedelta = _length(
        2 * DAY,
        HOUR,
        90 * DAY,
        "Access tokens are renewed until this long after signing in; then that session ends",
        **OF_WORKSPACE,
    )
    token_trusted_device: timedelta = _length(
        30 * DAY,
        DAY,
        30 * DAY,
        "A browser that a member trusts is not asked for the second factor for this long",
        **OF_WORKSPACE,
    )
    token_scim: timedelta = _length(
        365 * DAY, DAY, 365 * DAY, "A token for SCIM is good for this long at most", **OF_WORKSPACE
    )
    report_logins_kept_for: timedelta = _length(
        365 * DAY, DAY, 3650 * DAY, "The login report goes back this far"
    )
    report_visits_kept_for: timedelta = _length(
        90 * DAY, DAY, 3650 * DAY, "The report of opened pages goes back this far"
    )
    link_invitation: timedelta = _length(
        HOUR, 5 * MINUTE, 30 * DAY, "Invitation links to members expire after this", **OF_WORKSPACE
    )
    link_account: timedelta = _length(
        HOUR,
        5 * MINUTE,
        7 * DAY,
        "Forgot-password and delete-account links expire after this",
        **OF_WORKSPACE,
    )
    link_mails_per_hour: int = _count(
        5, 1, 60, "Forgot-password and delete-account mails to one member in an hour"
    )
    password_shortest: int = _count(
        12, 8, 64, "Least characters of a member's password", **OF_WORKSPACE
    )

    # Templates and issuing.
    template_time_bound: timedelta = _length(
        14 * DAY, DAY, 366 * DAY, "Time bound of a template that states none (PS-5)"
    )
    template_reminders: int = _count(3, 0, 3, "Most reminders a session may send", **OF_SESSION)
    public_session_longest: timedelta = _length(
        366 * DAY, DAY, 5 * 366 * DAY, "No extension may end later than this after issue"
    )

    # Mail.
    mail_give_up_after: timedelta = _length(
        DAY, 10 * MINUTE, 5 * DAY, "A mail that could not be handed over for this long is refused"
    )
    mail_timeout: timedelta = _length(
        20 * SECOND, 2 * SECOND, 2 * MINUTE, "Longest talk with the SMTP server"
    )

    mail_kept_for: timedelta = _length(
        90 * DAY, DAY, 3650 * DAY, "Rows of mails are kept this long after their session"
    )
    visit_kept_for: timedelta = _length(
        90 * DAY, DAY, 3650 * DAY, "Counts of opened links are kept this long after their session"
    )

    # Intents: what must still be told to a workflow.
    intent_repeat_after: timedelta = _length(
        5 * SECOND, SECOND, MINUTE, "An undelivered intent is tried again after this"
    )
    intent_kept_for: timedelta = _length(
        7 * DAY, HOUR, 90 * DAY, "Delivered intents are kept this long"
    )
    temporal_call_timeout: timedelta = _length(
        3 * SECOND, SECOND, 30 * SECOND, "Longest call to Temporal"
    )

    # The API.
    api_page_size: int = _count(50, 1, 200, "Items of a list when `limit` is not given")
    api_page_limit: int = _count(200, 1, 1000, "Most items of a list")
    api_body_bytes: int = _setting(
        1024 * 1024, "bytes", "Largest JSON body", low=64 * 1024, high=16 * 1024 * 1024
    )
    idempotency_kept_for: timedelta = _length(
        DAY, HOUR, 30 * DAY, "An Idempotency-Key answers again for this long"
    )
    database_pool: int = _count(20, 2, 100, "PostgreSQL connections of one process")
    database_lock_timeout: timedelta = _length(
        2 * SECOND, timedelta(milliseconds=100), 10 * SECOND, "Longest wait for a row's lock"
    )
    database_statement_timeout: timedelta = _length(
        5 * SECOND, timedelta(milliseconds=100), 30 * SECOND, "Longest SQL statement"
    )
    database_transaction_timeout: timedelta = _length(
        10 * SECOND, SECOND, MINUTE, "Longest transaction of a request or activity, as we count it"
    )


CATALOGUE: tuple[Setting, ...] = described(Settings)
BY_NAME: Mapping[str, Setting] = {each.name: each for each in CATALOGUE}
