"""`gatepass member`: the first administrator, and everything that must end at once."""

import asyncio
import re
from contextlib import suppress

from commands.member import set_password
from commands.member_session import Browser
from commands.password import hashed
from commands.sign_in import PasswordSignIn, sign_in
from commands.work import utc_now
from commands.workspace import find_workspace
from domain.member_errors import SignInRefused
from tests.rooms.house import bare_house
from tests.store.test_cli import environ, gatepass, made

__all__ = ["environ"]

EMAIL, PASSWORD = "anna@acme.example", "correct horse battery"
LINK = re.compile(r"http://localhost:8000/console/acme/links/([a-z2-7]{32})\n")


def invited(environ: dict[str, str]) -> str:
    """The token of the link that the first administrator gets."""
    made(environ)
    answer = gatepass(environ, "member", "invite", EMAIL, "-w", "acme", "--name", "Anna Berg")
    assert answer.exit_code == 0, answer.output
    found = LINK.search(answer.output)
    assert found
    return found[1]


async def registered(environ: dict[str, str], token: str) -> None:
    url = environ["GATEPASS_DATABASE_URL"]
    async with bare_house(url) as house, house.transactions.work() as work:
        acme = await find_workspace(work, "acme")
        await set_password(work, acme.id, token, await hashed(PASSWORD))


async def attempt(environ: dict[str, str], password: str = PASSWORD, times: int = 1) -> None:
    """Signs in at this machine's time, as the API would."""
    async with bare_house(environ["GATEPASS_DATABASE_URL"]) as house:
        house.clock.now = utc_now()
        async with house.transactions.work() as work:
            acme = await find_workspace(work, "acme")
        browser = Browser(name="Chromium on Linux")
        for _ in range(times):
            with suppress(SignInRefused):
                wanted = PasswordSignIn(acme.id, EMAIL, password, browser)
                await sign_in(house.transactions, wanted)


def test_the_first_administrator_is_invited_and_again_with_a_new_link(
    environ: dict[str, str],
) -> None:
    token = invited(environ)
    again = gatepass(
        environ,
        *("member", "invite", EMAIL, "-w", "acme", "--name", "Anna Berg", "--print-only-link"),
    )
    found = LINK.fullmatch(again.output)
    assert found
    assert found[1] != token
    listed = gatepass(environ, "member", "list", "-w", "acme").output
    assert re.search(r"invited +admin +anna@acme.example  Anna Berg\n", listed)
    assert token not in listed


def test_faults_and_strangers_are_told_in_words(environ: dict[str, str]) -> None:
    made(environ)
    assert "No members yet" in gatepass(environ, "member", "list", "-w", "acme").output
    wrong = gatepass(environ, "member", "invite", "nobody", "-w", "acme", "--name", " ")
    assert (wrong.exit_code, "/email" in wrong.output, "/name" in wrong.output) == (1, True, True)
    for who in ("nobody@acme.example", "nobody", "01890000-0000-7000-8000-000000000000"):
        answer = gatepass(environ, "member", "disable", who, "-w", "acme")
        assert (answer.exit_code, answer.output.strip()) == (1, "There is no such member.")


def test_a_locked_member_is_listed_so_and_unlocked(environ: dict[str, str]) -> None:
    # SX-16
    asyncio.run(registered(environ, invited(environ)))
    asyncio.run(attempt(environ, "wrong", times=10))
    assert "locked until" in gatepass(environ, "member", "list", "-w", "acme").output
    assert "Unlocked" in gatepass(environ, "member", "unlock", EMAIL, "-w", "acme").output
    assert "locked until" not in gatepass(environ, "member", "list", "-w", "acme").output


def test_sessions_are_listed_and_killed(environ: dict[str, str]) -> None:
    # SH-19
    asyncio.run(registered(environ, invited(environ)))
    sessions = ("member", "sessions", "-w", "acme")
    assert "Nobody is signed in" in gatepass(environ, *sessions).output
    asyncio.run(attempt(environ))
    listed = gatepass(environ, *sessions, "--member", EMAIL).output
    assert "Chromium on Linux" in listed
    session = listed.split()[0]
    for _ in range(2):
        assert "over" in gatepass(environ, "member", "kill", session, "-w", "acme").output
    assert "killed" in gatepass(environ, *sessions).output
    nowhere = gatepass(
        environ, "member", "kill", "01890000-0000-7000-8000-000000000000", "-w", "acme"
    )
    assert (nowhere.exit_code, nowhere.output.strip()) == (1, "There is no such session.")


def test_a_member_is_disabled_and_enabled_but_never_the_last_administrator(
    environ: dict[str, str],
) -> None:
    asyncio.run(registered(environ, invited(environ)))
    alone = gatepass(environ, "member", "disable", EMAIL, "-w", "acme")
    assert (alone.exit_code, "only administrator" in alone.output) == (1, True)
    other = ("bela@acme.example", "-w", "acme")
    assert gatepass(environ, "member", "invite", *other, "--name", "B").exit_code == 0
    listed = gatepass(environ, "member", "list", "-w", "acme").output
    member = next(line for line in listed.splitlines() if "bela" in line).split()[0]
    assert "Disabled" in gatepass(environ, "member", "disable", member, "-w", "acme").output
    assert "disabled" in gatepass(environ, "member", "list", "-w", "acme").output
    assert "Enabled" in gatepass(environ, "member", "enable", *other).output
    reset = gatepass(environ, "member", "reset-second-factor", *other).output
    assert "Reset the second factor of bela@acme.example." in reset


def test_a_token_has_the_role_it_was_made_with(environ: dict[str, str]) -> None:
    # PS-41
    made(environ)
    for role in ((), ("--role", "auditor")):
        gatepass(environ, "token", "create", "-w", "acme", "--name", "erp", *role)
    listed = gatepass(environ, "token", "list", "-w", "acme").output.splitlines()
    assert [line.split()[-2] for line in listed] == ["admin", "auditor"]
    wrong = gatepass(environ, "token", "create", "-w", "acme", "--name", "x", "--role", "king")
    assert wrong.exit_code == 2
