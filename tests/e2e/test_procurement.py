"""The worked example: loaded as files, refreshed once a year, tried before it is published."""

import subprocess
from pathlib import Path
from uuid import UUID

import httpx2
import pytest

from adapters.embedded.demo_example import EXAMPLE
from adapters.embedded.temporal_server import program
from tests.e2e.answers import CERTIFICATIONS
from tests.e2e.caller import INTAKE, PROFILE, Caller
from tests.e2e.house import House, Office, until
from tests.e2e.person import Browsers
from tests.e2e.test_main_job import reaches

pytestmark = pytest.mark.timeout(120)

REFRESH = "Annual vendor refresh"
STATEMENT = (
    "I confirm that our company has kept to the vendor code of conduct in the past year and will "
    "go on doing so."
)


def gatepass(house: House, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, as an operator types it."""
    command = [program("gatepass"), *words]
    return subprocess.run(
        command, env=dict(house.environ), capture_output=True, text=True, timeout=60, check=False
    )


async def did_intake(office: Office, who: str) -> tuple[str, UUID]:
    """A vendor that has completed its intake: its id and the session's."""
    party = await office.create(who)
    session = UUID(party["issued"][0]["public_session"])
    async with Caller(office.house.url) as person:
        await person.come_in(await office.link(session), await office.fresh_code(session))
        await person.do_everything(session)
    await reaches(office, party["id"], "due-diligence")
    return party["id"], session


async def test_a_year_later_what_is_known_is_filled_in(office: Office, browsers: Browsers) -> None:
    """PS-17, PS-25: prefilled from the intake, changed, written back; the audit keeps both."""
    party, _ = await did_intake(office, "vera")
    await office.post(f"parties/{party}/transitions", {"transition": "activate"})
    issued = await office.post(
        "public-sessions", {"template": "annual-vendor-refresh", "party": party}
    )
    session = UUID(issued["id"])
    assert issued["warnings"] == []
    again = await office.post(
        "public-sessions", {"template": "annual-vendor-refresh", "party": party}
    )
    assert [each["public_session"] for each in again["warnings"]] == [issued["id"]]

    person = await browsers.person()
    await person.come_in(await office.link(session), await office.fresh_code(session), REFRESH)
    await person.begin("Your contact information")
    page = person.page
    for label, known in (
        ("Registered company name", PROFILE["legal_name"]),
        ("Phone", "+351221234567"),
        ("Country of registration", "PT"),
    ):
        assert await page.get_by_label(label, exact=True).input_value() == known
    await person.send({"Phone": "+351 22 765 4321"})
    await person.sees("Your certifications, renewed")
    await person.send(CERTIFICATIONS)
    await person.sees("Vendor code of conduct")
    await person.send({STATEMENT: True})
    await person.sees("All done, thank you")

    async def written_back() -> bool:
        shown = await office.get(f"parties/{party}")
        return bool(shown["attributes"]["phone"] == "+351227654321")

    await until(written_back, "the new phone number is the party's")
    assert (await office.get(f"parties/{party}"))["state"] == "active"
    [changed] = [each for each in await office.audit(session) if each["event"] == "party.changed"]
    assert changed["details"]["before"]["party.attributes.phone"] == "+351221234567"
    assert changed["details"]["after"]["party.attributes.phone"] == "+351227654321"


async def test_tried_with_a_test_party_before_it_is_published(house: House, office: Office) -> None:
    """PS-32, PS-35: loaded as drafts from the command line, drafts go to test parties only."""
    key = f"{office.name}-drafts"
    assert gatepass(house, "workspace", "create", key, "--name", "Drafts").returncode == 0
    loaded = gatepass(house, "load", str(EXAMPLE), "--workspace", key, "--draft")
    assert loaded.returncode == 0, loaded.stderr
    made = gatepass(
        house, "token", "create", "--workspace", key, "--name", "ann", "--print-only-token"
    )
    headers = {"authorization": f"Bearer {made.stdout.strip()}"}
    async with httpx2.AsyncClient(
        base_url=f"{house.url}/api/v1", headers=headers, trust_env=False, timeout=20
    ) as client:
        vendor = {"kind": "vendor", "name": "Real Ltd", "email": office.address("real")}
        refused = await client.post("/parties", json=vendor)
        assert refused.status_code == 409
        assert refused.json()["type"].endswith("template-not-issuable")
        assert (await client.get("/parties")).json()["items"] == []
        tried = await client.post("/parties", json=vendor | {"test": True})
        assert [each["template"] for each in tried.json()["issued"]] == ["vendor-intake"]
        published = await client.post("/session-templates/vendor-intake/publish")
        assert published.is_success
        assert (await client.post("/parties", json=vendor)).status_code == 201
        other = await client.get(f"/public-sessions/{await office.vendor('vera')}")
        assert other.status_code == 404


async def test_loading_the_same_files_again_changes_nothing(office: Office, house: House) -> None:
    """A pack is files under version control: loading twice makes no second version."""
    before = (await office.get("session-templates/vendor-intake"))["versions"]
    again = gatepass(house, "load", str(EXAMPLE), "--workspace", office.name)
    assert again.returncode == 0, again.stderr
    assert (await office.get("session-templates/vendor-intake"))["versions"] == before


async def test_nothing_secret_is_logged(office: Office, house: House) -> None:
    """RELIABILITY 30, ASVS 16.2.5: no link, code, cookie, address or answer in any log."""
    session = await office.vendor("vera")
    link = await office.mailed_link("vera")
    async with Caller(house.url) as person:
        await person.get(link)
        await person.ask(link)
        code = await office.mailed_code("vera")
        await person.verify(link, "00000000")
        await person.come_in(link, code)
        secrets = [each.value for each in person.client.cookies.jar if each.value]
        await person.complete(session, "profile", {"legal_name": "Canary Ltd"})
        await person.do_everything(session)
    await office.mail("vera", "Received: Vendor intake")
    token = link.rsplit("/", 1)[1]
    bearer = office.client.headers["authorization"].removeprefix("Bearer ")
    secrets += [token, code.replace(" ", ""), office.address("vera"), "Canary Ltd", bearer]
    secrets += [str(INTAKE["profile"]["street_address"])]
    for name, written in logs(house).items():
        assert written
        assert [each for each in secrets if each in written] == [], name


def logs(house: House) -> dict[str, str]:
    """What our own programs have written so far."""
    folder = Path(house.folder.path, "logs")
    return {path.name: path.read_text(errors="replace") for path in folder.glob("*.log")}
