"""The main job, the way a person does it: mail, link, code, tasks; then the lifecycle moves on."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from tests.e2e.answers import BUYER_INTAKE, VENDOR_DUE_DILIGENCE, VENDOR_INTAKE
from tests.e2e.house import Office, until
from tests.e2e.person import Answers, Browsers, Keyboard, Mouse, Person, Thumb

pytestmark = pytest.mark.timeout(120)

DONE = "All done, thank you"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


async def read_mail_and_come_in(
    person: Person, office: Office, who: str, title: str, code: int = 1
) -> None:
    """From the mail that arrived to the room: PS-18, PS-26."""
    await person.open(await office.mailed_link(who, title))
    await person.sees(title)
    await person.reads(office.address(who)[0])
    await person.ask_for_code()
    await person.confirm(await office.mailed_code(who, code))
    await person.sees(title)


async def do_everything(person: Person, tasks: Sequence[tuple[str, Answers]]) -> None:
    """Every task in its order, each leading to the next (PS-11)."""
    await person.begin(tasks[0][0])
    for title, answers in tasks:
        await person.sees(title)
        await person.send(answers)
    await person.sees(DONE)


async def state_of(office: Office, party: str, state: str) -> bool:
    return bool((await office.get(f"parties/{party}"))["state"] == state)


async def reaches(office: Office, party: str, state: str) -> None:
    """PS-19: a completed session feeds the lifecycle."""
    await until(partial(state_of, office, party, state), f"the party is {state}")


async def assert_captured(
    office: Office, session: str, tasks: Sequence[tuple[str, Answers]]
) -> None:
    """PS-12, PS-13: every task has its record, an acknowledgment says what was agreed to."""
    shown = await office.get(f"public-sessions/{session}")
    assert shown["status"] == "completed"
    assert shown["progress"] == {"done": len(tasks), "total": len(tasks)}
    assert all(each["completed_at"] for each in shown["tasks"])
    items = (await office.get(f"public-sessions/{session}/submissions"))["items"]
    assert len(items) == len(tasks)
    [agreed] = [each for each in items if each["kind"] == "acknowledgment"]
    assert agreed["body"] == {"agreed": True}
    assert len(agreed["evidence"]["document_sha256"]) == 64
    assert agreed["evidence"]["verification"]["method"] == "mailbox_code"


async def test_a_vendor_becomes_active(office: Office, browsers: Browsers) -> None:
    """PS-14, PS-15, PS-18, PS-19, PS-33, PS-36: two sessions, each issued by the lifecycle."""
    party = await office.create("vera")
    assert party["state"] == "registered"
    person = await browsers.person()
    await read_mail_and_come_in(person, office, "vera", "Vendor intake")
    await do_everything(person, VENDOR_INTAKE)
    await reaches(office, party["id"], "due-diligence")
    await assert_captured(office, party["issued"][0]["public_session"], VENDOR_INTAKE)

    await read_mail_and_come_in(person, office, "vera", "Vendor due diligence", code=2)
    await do_everything(person, VENDOR_DUE_DILIGENCE)
    await reaches(office, party["id"], "active")
    await assert_two_steps(office, party)


async def assert_two_steps(office: Office, party: dict[str, Any]) -> None:
    """Each step once, what was answered kept, the outcome told to both sides."""
    after = await office.get(f"parties/{party['id']}")
    assert [each["to"] for each in after["passages"]] == ["registered", "due-diligence", "active"]
    assert after["name"] == "Casa do Linho Lda"
    assert after["attributes"]["country"] == "PT"
    sessions = (await office.get("public-sessions", party=party["id"]))["items"]
    templates = ["supplier-agreement", "vendor-due-diligence", "vendor-intake"]
    assert [each["template"] for each in sessions] == templates
    await assert_captured(office, sessions[1]["id"], VENDOR_DUE_DILIGENCE)
    await office.mail("vera", "Received: Vendor due diligence")
    await office.mail("owner", "Completed: Vendor due diligence by Casa do Linho Lda")


async def test_a_buyer_with_the_keyboard_alone(office: Office, browsers: Browsers) -> None:
    """PS-16, WCAG 2.1.1: no mouse is needed anywhere."""
    party = await office.create("bruno", "buyer")
    person = await browsers.person(Keyboard())
    await read_mail_and_come_in(person, office, "bruno", "Buyer intake")
    await do_everything(person, BUYER_INTAKE)
    await reaches(office, party["id"], "active")
    await assert_captured(office, party["issued"][0]["public_session"], BUYER_INTAKE)


@pytest.mark.parametrize(
    ("hands", "options"),
    [(Thumb(), PHONE), (Mouse(), {"java_script_enabled": False})],
    ids=["on a phone", "without JavaScript"],
)
async def test_a_vendor_comes_through(
    office: Office, browsers: Browsers, hands: Mouse, options: dict[str, Any]
) -> None:
    """PS-14: on a small screen nothing is cut off; without scripts nothing is missing."""
    party = await office.create("vera")
    person = await browsers.person(hands, **options)
    await read_mail_and_come_in(person, office, "vera", "Vendor intake")
    await do_everything(person, VENDOR_INTAKE)
    await reaches(office, party["id"], "due-diligence")


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_wrong_answer_is_named_and_nothing_typed_is_lost(
    office: Office, browsers: Browsers, scripts: bool
) -> None:
    """WCAG 3.3.1: the summary names the field; what was typed is still there; then it goes on."""
    session = await office.vendor("vera")
    person = await browsers.person(java_script_enabled=scripts)
    await person.come_in(await office.link(session), await office.fresh_code(session))
    await person.begin("Your vendor profile")
    right = VENDOR_INTAKE[0][1]
    await person.send(right | {"Company registration number": "!", "Phone": "nonsense"})
    await person.reads("2 answers need another look")
    page = person.page
    assert (await page.title()).startswith("Error")
    assert await page.get_by_label("Street and number").input_value() == "Rua das Flores 12"
    invalid = page.locator("[aria-invalid=true]")
    assert await invalid.evaluate_all("found => found.map((each) => each.name)") == [
        "registration_number",
        "contact_phone",
    ]
    await page.get_by_role("link", name="Phone: ").click()
    assert await page.get_by_label("Phone").evaluate("each => each === document.activeElement")
    await person.send({"Company registration number": "PT 1", "Phone": "+351 22 123 4567"})
    await person.sees("What you sell")


async def test_tasks_come_in_their_order(office: Office, browsers: Browsers) -> None:
    """PS-11, PS-31: a later task is locked until its turn, and says what comes first."""
    session = await office.vendor("vera")
    person = await browsers.person()
    await person.come_in(await office.link(session), await office.fresh_code(session))
    answer = await person.page.goto(f"{office.house.url}/sessions/{session}/tasks/terms")
    assert answer is not None
    assert answer.status == 409
    await person.reads("Your vendor profile")
    assert await person.page.get_by_role("checkbox").count() == 0
