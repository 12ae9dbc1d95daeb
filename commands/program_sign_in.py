"""Signs a member's program in, as the page does, and gives it tokens (SX-14)."""

from dataclasses import dataclass

from commands.answer_time import answers_at, leaves_at
from commands.member_session import LONGEST_BROWSER, Browser
from commands.sign_in import PasswordSignIn, sign_in
from commands.work import Transactions
from domain.member_errors import SignInRefused
from domain.member_token import Tokens
from store.workspace import workspace_by_key


@dataclass(frozen=True, slots=True)
class ProgramSignIn:
    """A workspace by its key, what its member would type, and what the program calls itself.

    `code` is of the second factor.
    """

    workspace: str
    email: str
    password: str
    name: str
    code: str = ""


async def sign_in_program(begin: Transactions, wanted: ProgramSignIn) -> Tokens:
    """Begins a session of the program's own; raises as `sign_in` does.

    A workspace that does not exist is refused as a stranger is, and as slowly.
    """
    refusal_at = answers_at()
    async with begin.work() as work:
        workspace = await workspace_by_key(work.db, wanted.workspace)
    if workspace is None:
        await leaves_at(refusal_at)
        raise SignInRefused
    browser = Browser(name=wanted.name[:LONGEST_BROWSER], takes_tokens=True)
    typed = PasswordSignIn(workspace.id, wanted.email, wanted.password, browser, code=wanted.code)
    begun = await sign_in(begin, typed)
    if begun.tokens is None:
        raise SignInRefused
    return begun.tokens
