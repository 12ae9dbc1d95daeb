"""Keeps what a signer entered, whatever becomes of the window that sent it (C7, N7, N8)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request

from adapters.languages import translations_for
from api.party_pages import language_of
from api.signature_post import Pairs, values_in, window_of_page, write_in
from commands.room import Visitor, enter, party_of
from commands.signing_left_behind import keep_left_behind
from commands.signing_session import keep_for_version, keep_values
from commands.work import Transactions, Work
from domain.agreement_answers import Answers, Translate
from domain.agreement_errors import (
    AgreementStale,
    ChangesUnconfirmed,
    StepUpNeeded,
    WindowLost,
)
from domain.errors import AnswersRefused, BindingLost


async def kept_values(
    request: Request, begin: Transactions, visitor: Visitor, key: str, posted: Pairs
) -> Answers:
    """Saves what was entered so far; raises as `commands.signing_session.keep_values`."""
    async with keeping(request, begin, visitor, key, posted):
        return await _keep(request, begin, visitor, key, posted)


async def _keep(
    request: Request, begin: Transactions, visitor: Visitor, key: str, posted: Pairs
) -> Answers:
    async with begin.work() as work:
        write = write_in(key, posted)
        translate = await _translate(request, work, visitor)
        return await keep_values(work, visitor, write, values_in(posted), translate)


@asynccontextmanager
async def keeping(
    request: Request, begin: Transactions, visitor: Visitor, key: str, posted: Pairs
) -> AsyncIterator[None]:
    """Around a write: what it brought is not lost with the place, nor with a new version.

    `request.state.kept` says so to whoever answers the refusal.
    """
    try:
        yield
    except (AnswersRefused, ChangesUnconfirmed, StepUpNeeded):
        if window_of_page(request):
            await _keep(request, begin, visitor, key, posted)
        raise
    except (WindowLost, BindingLost, AgreementStale) as refusal:
        if not window_of_page(request):
            # Another kind of task: it has no window.
            raise
        async with begin.work() as work:
            write = write_in(key, posted)
            values, translate = values_in(posted), await _translate(request, work, visitor)
            kept = False
            if isinstance(refusal, AgreementStale):
                kept = await keep_for_version(work, visitor, write, values, translate)
            # Made for a version before the one that was confirmed: it is offered again.
            kept = kept or await keep_left_behind(work, visitor, write, values)
            request.state.kept = kept
        raise


async def _translate(request: Request, work: Work, visitor: Visitor) -> Translate:
    party = await party_of(work, await enter(work, visitor))
    return translations_for(language_of(request, party.locale)).gettext
