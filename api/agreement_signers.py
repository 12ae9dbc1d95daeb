"""Parties as a member types them where signers are chosen: "Vera Ltd <vera@vendor.example>".

Where several have the same name and address, the end of its id tells each from the others.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence

from adapters.languages import translations_for
from api.member_call import MemberCall
from store.party import PartyFilter, PartyRow, parties_page

MOST_SHOWN = 200
"""Suggestions; whoever is not among them is found by the address, too."""
MOST_NAMED = 5
LONGEST = 400
TYPED = re.compile(r"((?P<name>.*)<)?(?P<address>[^<>]+?)>?(\s+#(?P<end>[0-9a-f]{8}))?")


async def suggested(call: MemberCall) -> list[str]:
    """Who may be meant: the newest parties that have an address."""
    rows, _ = await parties_page(call.work.db, call.workspace_id, PartyFilter(), None, MOST_SHOWN)
    return _told_apart([each for each in rows if each.email and each.erased_at is None])


def _told_apart(parties: Sequence[PartyRow]) -> list[str]:
    """The parties as they are typed."""
    same = Counter(_said(each) for each in parties)
    return [_said(each) + (f" #{_end(each)}" if same[_said(each)] > 1 else "") for each in parties]


def _said(party: PartyRow) -> str:
    return f"{party.name} <{party.email}>"


def _end(party: PartyRow) -> str:
    return party.id.hex[-8:]


async def parties_meant(call: MemberCall, text: str) -> Sequence[PartyRow]:
    """The parties that were typed: none, one, or all that it could be."""
    found = TYPED.fullmatch(text[:LONGEST].strip())
    if found is None:
        return []
    address = found["address"].strip()
    rows, _ = await parties_page(
        call.work.db, call.workspace_id, PartyFilter(q=address), None, MOST_SHOWN
    )
    same = [each for each in rows if each.email.casefold() == address.casefold()]
    if found["end"]:
        return [each for each in same if _end(each) == found["end"]]
    if len(same) == 1 or found["name"] is None:
        return same
    return [each for each in same if each.name.strip() == found["name"].strip()] or same


def signer_fault(parties: Sequence[PartyRow], known: Collection[str], locale: str) -> str:
    """Why none of these becomes a signer beside those that are known by their ids; or ""."""
    _ = translations_for(locale).gettext
    if not parties:
        return _("There is no party with this address. Choose one from the list.")
    if len(parties) > 1:
        named = "; ".join(_told_apart(parties)[:MOST_NAMED])
        return _("Several parties fit. Enter one of these: %(parties)s") % {"parties": named}
    return _("This party is a signer already.") if str(parties[0].id) in known else ""
