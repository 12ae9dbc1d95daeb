"""Which signers have an agreement open at this moment; a change is shown to them (EX-19)."""

from commands.agreement import Whole
from commands.signing import window_policy
from commands.work import Work
from store.signing_session import windows_on


async def reading_now(work: Work, whole: Whole) -> list[str]:
    """Their names, in the order of signing."""
    policy = window_policy(work)
    windows = await windows_on(work.db, whole.row.id)
    open_at = {each.position for each in windows if each.window.is_alive(work.at, policy)}
    return [each.name for each in whole.signers if each.position in open_at]
