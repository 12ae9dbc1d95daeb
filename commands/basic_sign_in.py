"""Programs that show address and password at every request of the API (HTTP Basic, RFC 7617, EE-3).

The password is compared once: the session that begins then is found by an HMAC of what the client
shows, as long as it lives. After that the next request begins another one; nobody is asked.
"""

from dataclasses import dataclass
from uuid import UUID

from commands.login import LoginOutcome, log_attempt
from commands.member_session import (
    LONGEST_BROWSER,
    Browser,
    SignedIn,
    look_for_member,
    recognise_member,
)
from commands.setting import effective_settings
from commands.sign_in import PasswordSignIn, sign_in
from commands.work import Transactions, Work
from domain.address import without_capitals
from domain.errors import Unauthenticated
from domain.member_errors import (
    SecondFactorAsked,
    SessionLimitReached,
    SignInRefused,
    SomebodyElseSignedIn,
)
from domain.sign_in import SignInMode
from store.workspace import workspace_by_key

REFUSALS = (SignInRefused, SecondFactorAsked, SessionLimitReached, SomebodyElseSignedIn)


@dataclass(frozen=True, slots=True)
class BasicClient:
    """What a program shows: a workspace by its key, its member, and what it calls itself."""

    workspace: str
    email: str
    password: str
    name: str

    @property
    def browser(self) -> Browser:
        """The client as a sign-in knows it: by everything that it shows, each part by itself.

        No browser's cookie can have a NUL, so that neither is taken for the other.
        """
        email = without_capitals(self.email)
        secret = "\0".join((self.name, self.workspace, email, self.password))
        return Browser(secret, self.name[:LONGEST_BROWSER], keeps_secret=True)


async def acquire_basic(begin: Transactions, client: BasicClient) -> None:
    """Sees to it that the client has a session; raises `Unauthenticated`.

    It counts as activity. Where a workspace does not allow this way, nothing is compared.
    """
    async with begin.work() as work:
        workspace_id = await _allowing_workspace(work, client)
        is_known = workspace_id is not None and isinstance(
            await recognise_member(work, workspace_id, client.browser.secret, acting=True), SignedIn
        )
    if workspace_id is None:
        raise Unauthenticated
    if not is_known:
        await _sign_in(begin, workspace_id, client)


async def _sign_in(begin: Transactions, workspace_id: UUID, client: BasicClient) -> None:
    mode = SignInMode.BASIC
    shown = PasswordSignIn(workspace_id, client.email, client.password, client.browser, mode)
    try:
        await sign_in(begin, shown)
    except REFUSALS as refused:
        # A factor cannot be asked of a client that shows the same at every request.
        raise Unauthenticated from refused


async def _allowing_workspace(work: Work, client: BasicClient) -> UUID | None:
    """The workspace if it allows this way; an attempt at one that does not is in its report."""
    row = await workspace_by_key(work.db, client.workspace)
    if row is None:
        return None
    if (await effective_settings(work, row.id)).login_basic:
        return row.id
    log_attempt(work, row.id, None, LoginOutcome.FAILED, client.browser, SignInMode.BASIC)
    return None


async def member_of_basic(work: Work, client: BasicClient) -> SignedIn | None:
    """Whose client this is, as long as its session may act."""
    row = await workspace_by_key(work.db, client.workspace)
    if row is None:
        return None
    found = await look_for_member(work, row.id, client.browser.secret)
    return found if isinstance(found, SignedIn) else None
