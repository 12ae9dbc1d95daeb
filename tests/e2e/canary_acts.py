"""What is done in the play: everything once, with words wherever words are taken."""

import re
from collections.abc import Mapping
from urllib.parse import quote
from uuid import uuid4

from tests.e2e import canary_files
from tests.e2e.caller import Caller
from tests.e2e.canary_play import Play

MANY = range(30)


async def make_token(play: Play) -> None:
    """A token whose name and address are canaries; everything afterwards is called with it."""
    word = play.canaries.word
    text = await play.gatepass(
        *("token", "create", "--workspace", play.office.name, "--print-only-token"),
        *("--name", f"{word('name of a token')} {play.canaries.accented('name of a token')}"),
        *("--email", f"{word('address of a token')}@{play.office.name}.example"),
    )
    play.office.client.headers["authorization"] = f"Bearer {text.strip()}"


async def tell_of_parties(play: Play) -> None:
    """Parties made, changed, searched for, refused."""
    word, accented = play.canaries.word, play.canaries.accented
    many = {f"n{at}": word(f"one of many attributes {at}") for at in MANY}
    await play.create_party("vera")
    await play.call("PATCH", f"parties/{play.parties['vera']}", {"attributes": many})
    changes = {
        "name": accented("changed name"),
        "email": f"{word('changed address')}@{play.office.name}.example",
        "attributes": {"a0": word("changed attribute"), "a1": None},
    }
    await play.call("PATCH", f"parties/{play.parties['vera']}", changes)
    await play.call("PATCH", f"parties/{play.parties['vera']}", {"email": word("bad")}, ok=False)
    for path in ("parties", "public-sessions"):
        await play.call("GET", f"{path}?q={quote(accented(f'search in {path}'))}")
        await play.call("GET", f"{path}?q={word(f'search in {path}')}&cursor=x", ok=False)
    await play.call("GET", f"parties?kind={word('kind in a query')}")
    await play.call("GET", f"public-sessions?status={word('status in a query')}", ok=False)


async def send_nonsense(play: Play) -> None:
    """Requests that no route takes, or not so."""
    word = play.canaries.word
    bad_party = {"kind": word("bad kind") + "!", "name": {"x": word("object")}, "email": word("e")}
    await play.call("POST", "parties", bad_party, ok=False)
    await play.call("POST", "parties", [word("a list")], ok=False)
    await play.call("GET", f"parties/{word('an id')}", ok=False)
    body = f'{{"kind": "{word("broken JSON")}", '.encode()
    client = play.office.client
    assert (await client.post("/api/v1/parties", content=body)).is_client_error
    bearer = {"authorization": f"Bearer gp_api_{word('a token')}"}
    assert (await client.get("/api/v1/parties", headers=bearer)).status_code == 401
    async with Caller(play.office.house.url) as caller:
        cookies = {"cookie": f"gatepass-door={word('a cookie')}"}
        for path in (f"/s/{word('a link')}", f"/{word('a path')}", f"/sessions/{word('a room')}"):
            answer = await caller.client.get(path, headers=cookies)
            assert answer.is_client_error, answer.status_code
        posted = {word("name of a posted field"): word("posted to nobody")}
        assert (await caller.post(f"/sessions/{uuid4()}/tasks/details", posted)).is_client_error


async def decide_on_sessions(play: Play) -> None:
    """Everything that is done to sessions with words of explanation."""
    word, accented = play.canaries.word, play.canaries.accented
    for who in ("olga", "emil", "refused"):
        first = f"refused-{word('refused address')}" if who == "refused" else word("address")
        await play.create_party(who, email=f"{first}@{play.office.name}.example")
    for what in ("extended", "revoked", "reissued", "bounced"):
        await play.issue("olga", what)
    later = {"expires_at": "2099-01-01T00:00:00Z", "rationale": word("refused extension")}
    await play.call("POST", f"public-sessions/{play.sessions['extended']}/extend", later, ok=False)
    shown = await play.office.session(play.sessions["extended"])
    expires_at = shown["expires_at"].replace("T", "T").replace("Z", "+00:00")
    await play.act("extended", "extend", expires_at=_later(expires_at), rationale=word("extend"))
    rationale, message = accented("rationale of revoking"), word("message to the party")
    await play.act("revoked", "revoke", rationale=rationale, message=message)
    await play.act("reissued", "reissue", rationale=word("rationale of re-issuing"))
    address = f"{word('corrected address')}@{play.office.name}.example"
    await play.act("extended", "correct-address", email=address)
    await play.issue("refused", "refused")


def _later(moment: str) -> str:
    return re.sub(r"T\d\d:\d\d:\d\d", "T23:59:59", moment)


async def bounce(play: Play) -> None:
    """Two delivery reports: at the command line, and to the API."""
    message_id = await play.message_id(play.sessions["bounced"], "olga")
    told = await play.gatepass("mail", "bounce", given=play.report(message_id))
    assert "Noted" in told
    kind = {"content-type": "message/rfc822"}
    path, report = "/api/v1/mail/bounces", play.report(message_id)
    answer = await play.office.client.post(path, content=report, headers=kind)
    assert answer.status_code == 202


async def decline(play: Play) -> None:
    """A party that does not want to, and says why."""
    session = await play.issue("emil", "declined")
    async with Caller(play.office.house.url) as caller:
        await play.come_in(caller, session)
        long = play.canaries.word("reason that is too long") * 80
        path = f"/sessions/{session}/decline"
        assert (await caller.post(path, {"reason": long})).status_code == 422
        reason = f"{play.canaries.word('reason')}\n{play.canaries.accented('reason')}"
        assert (await caller.post(path, {"reason": reason})).status_code == 303


async def send_files(play: Play, caller: Caller) -> None:
    """Files that are kept, refused, taken back, and sent as a form."""
    word, accented = play.canaries.word, play.canaries.accented
    cells = [word(f"cell {at}") for at in MANY] + [accented("cell")]
    kept: Mapping[str, bytes] = {
        f"{word('name of a table')} {accented('name of a table')}.csv": canary_files.csv(*cells),
        f"{word('name of a text')}.txt": accented("text file").encode(),
        f"{word('name of a PDF')}.pdf": canary_files.pdf(word("PDF title"), word("PDF text")),
        f"{word('name of a Word file')}.docx": canary_files.docx(word("Word"), accented("Word")),
        f"{word('name of a picture')}.png": canary_files.png(word("comment of a picture")),
    }
    for name, content in kept.items():
        answer = await play.send(caller, name, content)
        assert answer.status_code == 201, answer.text
    refused: Mapping[str, bytes] = {
        f"{word('name of a refused PDF')}.pdf": word("refused PDF").encode(),
        f"{word('name of a program')}.exe": word("program").encode(),
        f"{word('name of a page')}.txt": f"<html>{word('page')}</html>".encode(),
        f"{word('name of a broken picture')}.png": canary_files.damaged_png(word("broken")),
        f"{word('name of a broken PDF')}.pdf": f"%PDF-1.7\n{word('broken PDF')}".encode(),
        f"{word('name of nothing')}.csv": b"",
        f"{word('an ending')}.{word('ending')}": b"x",
    }
    for name, content in refused.items():
        answer = await play.send(caller, name, content)
        assert answer.status_code in (409, 413, 415, 422), (answer.status_code, answer.text)
    elsewhere = await play.send(caller, "x.csv", b"a,b\n", slot=word("unknown place"))
    assert elsewhere.is_client_error
    await _take_back(play, caller)
    await _send_form(play, caller)


async def _take_back(play: Play, caller: Caller) -> None:
    word = play.canaries.word
    content = canary_files.csv(word("removed table"))
    sent = await play.send(caller, f"{word('name of a removed table')}.csv", content)
    path = f"/sessions/{play.sessions['main']}/tasks/papers/files/{sent.json()['id']}/remove"
    assert (await caller.post(path)).status_code == 303


async def _send_form(play: Play, caller: Caller) -> None:
    """As a browser without scripts does; the second file is refused, and the page names it."""
    word, accented = play.canaries.word, play.canaries.accented
    path = f"/sessions/{play.sessions['main']}/tasks/papers/files"
    answer = await caller.client.post(
        path,
        data={"slot": "insurance"},
        files={"file": (f"{accented('file of a form')}.csv", canary_files.csv(word("form")))},
    )
    assert answer.status_code == 303, answer.text
    answer = await caller.client.post(
        path, files={"file": (f"{word('refused file of a form')}.pdf", word("form").encode())}
    )
    assert answer.status_code == 422, answer.text
