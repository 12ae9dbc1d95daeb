"""The words of the workspace's mails over the API (SH-16, SH-17)."""

import pytest
from httpx2 import AsyncClient

from domain.mail import MailKind
from tests.api.factories import API, get, post, put

INVITATION = "/mail-contents/member_invitation/en"
OWN = {"subject": "Welcome, {{ member_name }}", "body": "{{ link }}\r\nFor {{ left }}.\r\n"}


async def test_the_default_is_shown_with_what_may_be_named(client: AsyncClient) -> None:
    shown = await get(client, INVITATION)
    assert shown["subject"] == "Account Activation: {{ workspace_name }}"
    assert "{{ link }}" in shown["body"].splitlines()
    assert (shown["customised"], shown["version"], shown["newer_default"]) == (False, 1, False)
    variables = {each["name"]: each for each in shown["variables"]}
    assert variables["left"]["required"]
    assert not variables["link"]["in_subject"]
    assert "code" not in variables


async def test_an_own_text_is_kept_previewed_and_reset(client: AsyncClient) -> None:
    before = await get(client, INVITATION)
    saved = await put(client, INVITATION, OWN)
    assert saved == await get(client, INVITATION)
    assert (saved["subject"], saved["customised"]) == (OWN["subject"], True)
    assert saved["body"] == "{{ link }}\nFor {{ left }}.\n"
    shown = await post(client, f"{INVITATION}/preview", status=200)
    assert shown["subject"] == "Welcome, Anna Example"
    assert "For 13:05:30." in shown["text"]
    assert "For 13:05:30." in shown["html"]
    assert await post(client, f"{INVITATION}/reset", status=200) == before
    assert await get(client, INVITATION) == before


async def test_what_is_being_written_is_previewed_and_not_kept(client: AsyncClient) -> None:
    shown = await post(client, f"{INVITATION}/preview", OWN, status=200)
    assert shown["subject"] == "Welcome, Anna Example"
    assert not (await get(client, INVITATION))["customised"]


@pytest.mark.parametrize("language", ["en", "de"])
async def test_every_mail_has_a_preview(client: AsyncClient, language: str) -> None:
    for kind in MailKind:
        shown = await post(client, f"/mail-contents/{kind}/{language}/preview", status=200)
        assert "{{" not in f"{shown}"
        assert "Demo Ltd" in shown["html"]


async def test_the_preview_of_a_code_has_no_link(client: AsyncClient) -> None:
    # C11
    shown = await post(client, "/mail-contents/code/en/preview", status=200)
    assert "1111 1111" in shown["text"]
    assert "http" not in shown["text"]


async def test_with_an_edition_nobody_is_written_over(client: AsyncClient) -> None:
    # SH-17
    read = (await get(client, INVITATION))["edition"]
    saved = await put(client, INVITATION, OWN | {"edition": read})
    answer = await client.put(f"{API}{INVITATION}", json=OWN | {"subject": "B", "edition": read})
    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/mail-content-moved"
    assert await get(client, INVITATION) == saved
    newer = OWN | {"subject": "B", "edition": saved["edition"]}
    assert (await put(client, INVITATION, newer))["subject"] == "B"


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_faults_are_named(client: AsyncClient, method: str) -> None:
    path = f"{API}{INVITATION}{'/preview' if method == 'POST' else ''}"
    wanted = {"subject": "{{ link }}", "body": "{{ config }}"}
    answer = await client.request(method, path, json=wanted)
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/mail-content-refused"
    assert {each["pointer"] for each in answer.json()["faults"]} == {"/subject", "/body"}


@pytest.mark.parametrize("place", ["member_invitation/xx", "nothing/en", "code/../en"])
async def test_what_there_is_not_is_missing(client: AsyncClient, place: str) -> None:
    path = f"{API}/mail-contents/{place}"
    assert (await client.get(path)).status_code == 404
    assert (await client.put(path, json=OWN)).status_code == 404


async def test_a_workspace_has_its_own_words(client: AsyncClient, stranger: AsyncClient) -> None:
    await put(client, INVITATION, OWN)
    assert not (await get(stranger, INVITATION))["customised"]
    listed = (await get(client, "/mail-contents"))["items"]
    assert len(listed) == 2 * len(MailKind)
    assert [each["language"] for each in listed if each["customised"]] == ["en"]
