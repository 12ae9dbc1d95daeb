"""A phone with an authenticator app: it has the key that its owner was shown."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
from sqlmodel import col, select

from commands.member import actor_of
from commands.second_factor import begin_enrolment, confirm_enrolment
from store.columns import new_id
from store.member import MemberRow, member_by_id
from store.sealed import opened
from store.second_factor import SecondFactorRow
from tests.rooms.house import House

STEP = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Phone:
    """What shows codes."""

    key: str

    def code(self, at: datetime) -> str:
        """What the app shows at a moment."""
        return pyotp.TOTP(self.key).at(at)


async def newest_phone(house: House) -> Phone:
    """A phone with the key that was shown last."""
    found = select(SecondFactorRow).order_by(col(SecondFactorRow.id).desc()).limit(1)
    async with house.transactions.work() as work:
        (row,) = await opened(work.db, (await work.db.scalars(found)).all())
        return Phone(row.key)


async def give_phone(house: House, member: MemberRow) -> tuple[Phone, list[str]]:
    """A member's app, confirmed half a minute ago, and the recovery codes."""
    begun_in = new_id()
    async with house.transactions.work() as work:
        phone = Phone((await begin_enrolment(work, member, begun_in)).key)
    async with house.transactions.work() as work:
        locked = await member_by_id(work.db, member.workspace_id, member.id, lock=True)
        assert locked is not None
        code, actor = phone.code(work.at), actor_of(locked)
        codes = await confirm_enrolment(work, locked, begun_in, code, actor)
    assert isinstance(codes, list)
    house.clock.now += STEP
    return phone, codes
