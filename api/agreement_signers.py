"""Parties as a member types them where signers are chosen: "Vera Ltd <vera@vendor.example>"."""

import re
from collections.abc import Sequence

from api.member_call import MemberCall
from store.party import PartyFilter, PartyRow, parties_page

MOST_SHOWN = 200
"""Suggestions; whoever is not among them is found by the address, too."""
LONGEST = 400
WITH_NAME = re.compile(r"(?P<name>.*)<(?P<address>[^<>]+)>")


async def suggested(call: MemberCall) -> list[str]:
    """Who may be meant: the newest parties that have an address."""
    rows, _ = await parties_page(call.work.db, call.workspace_id, PartyFilter(), None, MOST_SHOWN)
    return [said(each) for each in rows if each.email and each.erased_at is None]


def said(party: PartyRow) -> str:
    """A party as it is typed."""
    return f"{party.name} <{party.email}>"


async def party_meant(call: MemberCall, text: str) -> PartyRow | None:
    """The one party that was typed; None if there is none, or more than one that it could be."""
    found = WITH_NAME.fullmatch(text[:LONGEST].strip())
    address = (found["address"] if found else text[:LONGEST]).strip()
    rows, _ = await parties_page(
        call.work.db, call.workspace_id, PartyFilter(q=address), None, MOST_SHOWN
    )
    same = [each for each in rows if each.email.casefold() == address.casefold()]
    return _only(same) or _only([each for each in same if found and _is_named(each, found["name"])])


def _only(rows: Sequence[PartyRow]) -> PartyRow | None:
    return rows[0] if len(rows) == 1 else None


def _is_named(party: PartyRow, name: str) -> bool:
    return party.name.strip() == name.strip()
