"""Composes the HTTP application: routes, layers, and what lives as long as the process.

`uvicorn --factory api.app:create_app --no-proxy-headers`, or `python -m api`.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from adapters.keyring import open_keyring
from adapters.objects import ObjectStore
from adapters.outside import inner_networks
from adapters.settings import load_settings
from adapters.temporal import Telegraph
from adapters.temporal import connect as connect_temporal
from api import (
    agreement_files,
    agreements,
    audit,
    browser,
    console_account,
    console_agreement_document,
    console_agreement_edit,
    console_agreement_events,
    console_agreement_new,
    console_agreement_signers,
    console_agreement_verbs,
    console_agreements,
    console_certificate,
    console_delegations,
    console_deletion,
    console_events,
    console_federated,
    console_forgotten,
    console_invite,
    console_links,
    console_mail_contents,
    console_members,
    console_passkeys,
    console_reports,
    console_second_factor,
    console_sessions,
    console_settings,
    console_sign_in,
    console_sign_in_code,
    console_sign_in_steps,
    console_sign_out,
    documents,
    door,
    erasure,
    error_pages,
    errors,
    forms,
    lifecycles,
    mail,
    mail_contents,
    member_sessions,
    members,
    operations,
    parties,
    party_export,
    public_session_receipt,
    public_session_uploads,
    public_session_verbs,
    public_sessions,
    receipt,
    reports,
    room,
    room_events,
    scim,
    session_templates,
    settings,
    sign_in_modes,
    signing,
    signing_certificate,
    signing_paper,
    static_files,
    token,
    uploads,
)
from api.exchange import Exchange
from api.metrics import Metrics
from api.open_pages import open_pages_of, poll_until_stopped
from api.openapi import describe
from api.proxies import TrustedProxies, trusted_networks
from api.readiness import Readiness
from api.vouched import VouchedMembers, read_vouching
from commands.installation import Installation
from commands.intent import IntentCourier
from commands.work import Transactions, utc_now
from domain.settings import Settings
from store.database import connect

log = structlog.get_logger()

DRAIN_WAIT = 0.3
"""Seconds for intents under way when the process ends; the others stay in their rows."""
ROUTERS = (
    # Routes are tried in turn: those of whoever waits on a phone come first.
    door.router,
    room.router,
    room_events.router,
    signing.router,
    signing_paper.router,
    uploads.router,
    receipt.router,
    operations.router,
    session_templates.router,
    parties.router,
    party_export.router,
    erasure.router,
    lifecycles.router,
    forms.router,
    documents.router,
    public_sessions.router,
    public_session_verbs.router,
    public_session_uploads.router,
    public_session_receipt.router,
    agreements.router,
    agreement_files.router,
    signing_certificate.router,
    audit.router,
    settings.router,
    sign_in_modes.router,
    members.router,
    member_sessions.router,
    reports.router,
    token.router,
    scim.router,
    mail.router,
    mail_contents.router,
    console_sign_in.router,
    console_sign_in_steps.router,
    console_federated.router,
    console_sign_in_code.router,
    console_sign_out.router,
    console_events.router,
    console_account.router,
    console_delegations.router,
    console_second_factor.router,
    console_passkeys.router,
    console_sessions.router,
    console_settings.router,
    console_mail_contents.router,
    console_certificate.router,
    # Before the agreements' own addresses: `new` is no id.
    console_agreement_new.router,
    console_agreement_document.router,
    console_agreement_edit.router,
    console_agreement_events.router,
    console_agreement_signers.router,
    console_agreement_verbs.router,
    console_agreements.router,
    console_invite.router,
    console_members.router,
    console_reports.router,
    console_links.router,
    console_forgotten.router,
    console_deletion.router,
)
SILENT: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
}
"""FastAPI's own telemetry is off: its exception logs can hold what a person typed."""


def create_app(
    wanted: Settings | None = None, *, clock: Callable[[], datetime] = utc_now
) -> FastAPI:
    """The application of these settings, or of the environment's; `clock` says what time it is.

    Raises `SettingsError`. Starting it raises `KeyFileError` when there is no root key.
    """
    chosen = wanted or load_settings(os.environ)
    app = FastAPI(
        title="Gatepass",
        version="1",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        telemetry=SILENT,
    )
    _remember(app, chosen, clock)
    for router in ROUTERS:
        # As they are. Including a router makes each of its routes a second time, 0.3 s for all.
        app.router.routes.extend(router.routes)
    static_files.mount(app)
    errors.install(app)
    describe(app)
    inner_networks(chosen)  # Said at the start, not at somebody's sign-in.
    # The one added last is the outermost.
    app.add_middleware(Exchange, metrics=app.state.metrics, largest_body=chosen.api_body_bytes)
    app.add_middleware(TrustedProxies, networks=trusted_networks(chosen))
    # Outside of the proxies' layer, which hides the peer.
    app.add_middleware(VouchedMembers, vouching=read_vouching(chosen))
    app.add_middleware(browser.SecurityHeaders, settings=chosen)
    return app


def _remember(app: FastAPI, chosen: Settings, clock: Callable[[], datetime]) -> None:
    app.state.settings = chosen
    app.state.clock = clock
    app.state.error_page = error_pages.page_for_error
    app.state.stopping = asyncio.Event()
    app.state.metrics = Metrics(lambda: len(open_pages_of(app.state)))


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    chosen: Settings = app.state.settings
    clock: Callable[[], datetime] = app.state.clock
    app.state.objects = ObjectStore.at(chosen.object_store)
    keyring = open_keyring(chosen)
    engine = connect(chosen)
    installation = Installation(engine, keyring, clock)
    client = await connect_temporal(chosen, installation)
    telegraph = Telegraph(client, chosen.temporal_call_timeout)
    courier = IntentCourier(engine, telegraph, chosen, clock)
    app.state.telegraph = telegraph
    app.state.transactions = Transactions(engine, chosen, keyring, courier, clock)
    app.state.readiness = Readiness(app.state.transactions, telegraph)
    stopping: asyncio.Event = app.state.stopping
    poll = asyncio.create_task(poll_until_stopped(app.state, stopping))
    reading = asyncio.create_task(installation.open_and_keep_reading(stopping))
    for each in (poll, reading):
        each.add_done_callback(_log_failure)
    try:
        yield
    finally:
        stopping.set()
        await asyncio.wait([poll, reading], timeout=DRAIN_WAIT)
        poll.cancel()
        reading.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_WAIT):
                await courier.drain()
        await engine.dispose()


def _log_failure(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("page_poll_failed", exc_info=error)
