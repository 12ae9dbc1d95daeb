"""The `gatepass` command: workspaces, tokens, packs, delivery reports, and refusals in words."""

import base64
import re
from email.message import EmailMessage
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import cli
from tests.rooms.house import KEYRING

REPORT = """\
From: mailer-daemon@example.com
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; anna@example.com
Action: failed
Status: 5.1.1
--b
Content-Type: text/rfc822-headers

Message-ID: <01a2050c-60bf-77b6-9005-cdf9a62de868@gatepass.localhost>
--b--
"""


@pytest.fixture
def environ(database_url: str, tmp_path: Path) -> dict[str, str]:
    key = tmp_path / "root.key"
    key.write_text(f"1 {base64.b64encode(KEYRING.roots[1]).decode()}\n")
    return {"GATEPASS_DATABASE_URL": database_url, "GATEPASS_ROOT_KEY_FILE": str(key)}


def gatepass(environ: dict[str, str], *arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(cli.app, arguments, env=environ, input=given)


def made(environ: dict[str, str]) -> None:
    answer = gatepass(environ, "workspace", "create", "acme", "--name", "Acme")
    assert answer.exit_code == 0, answer.output


def test_a_workspace_is_made_once(environ: dict[str, str]) -> None:
    made(environ)
    again = gatepass(environ, "workspace", "create", "acme", "--name", "Acme")
    assert (again.exit_code, "exists already" in again.output) == (1, True)
    kept = gatepass(environ, "workspace", "create", "acme", "--name", "Acme", "--if-missing")
    assert (kept.exit_code, "exists." in kept.output) == (0, True)


def test_a_workspace_is_put_on_a_release_channel(environ: dict[str, str]) -> None:
    # EE-20
    gatepass(environ, "workspace", "create", "early", "--name", "Early")
    told = gatepass(environ, "workspace", "channel", "early", "controlled")
    assert (told.exit_code, told.output.strip()) == (
        0,
        "The workspace 'early' is on the channel 'controlled'.",
    )
    assert gatepass(environ, "workspace", "channel", "early", "sooner").exit_code == 2
    assert gatepass(environ, "workspace", "channel", "nowhere", "general").exit_code == 1


def test_every_fault_of_a_workspace_is_named(environ: dict[str, str]) -> None:
    answer = gatepass(
        environ, "workspace", "create", "No Key", "--name", " ", "--contact", "nobody"
    )
    assert answer.exit_code == 1
    assert all(each in answer.output for each in ("/key", "/name", "/contact"))


def test_tokens_are_named_listed_limited_and_revoked(environ: dict[str, str]) -> None:
    made(environ)
    assert "No tokens yet" in gatepass(environ, "token", "list", "-w", "acme").output
    new = ("token", "create", "-w", "acme", "--name", "erp", "--days", "30")
    first = gatepass(environ, *new)
    assert "gp_api_" in first.output
    assert "good until" in first.output
    listed = gatepass(environ, "token", "list", "-w", "acme").output
    assert "erp" in listed
    assert "gp_api_" not in listed
    token_id = listed.split()[0]
    assert "Revoked" in gatepass(environ, "token", "revoke", token_id, "-w", "acme").output
    assert "revoked" in gatepass(environ, "token", "list", "-w", "acme").output
    quiet = gatepass(environ, *new, "--print-only-token").output
    assert quiet.startswith("gp_api_")
    assert len(quiet.split()) == 1


def test_a_token_for_scim_is_of_its_own_kind_and_ends(environ: dict[str, str]) -> None:
    # SH-12
    made(environ)
    new = ("token", "create", "-w", "acme", "--name", "entra", "--scim")
    quiet = gatepass(environ, *new, "--print-only-token").output
    assert quiet.startswith("gp_scim_")
    listed = gatepass(environ, "token", "list", "-w", "acme").output
    assert re.search(r"good +20\d\d-\d\d-\d\d +20\d\d-\d\d-\d\d +scim +entra", listed)
    assert quiet.strip() not in listed
    assert gatepass(environ, *new, "--days", "365").exit_code == 0
    refused = gatepass(environ, *new, "--days", "366")
    assert (refused.exit_code, "365 days at most" in refused.output) == (1, True)
    assert "Revoked" in gatepass(environ, "token", "revoke", listed.split()[0], "-w", "acme").output


def test_an_unknown_workspace_or_token_is_refused_in_words(environ: dict[str, str]) -> None:
    made(environ)
    nowhere = gatepass(environ, "token", "list", "-w", "nowhere")
    assert (nowhere.exit_code, nowhere.output.strip()) == (1, "There is no such workspace.")
    nobody = "01a2050c-60bf-77b6-9005-cdf9a62de868"
    answer = gatepass(environ, "token", "revoke", nobody, "-w", "acme")
    assert (answer.exit_code, answer.output.strip()) == (1, "There is no such token.")


def test_a_pack_is_loaded_again_without_new_versions(environ: dict[str, str]) -> None:
    """PS-14 to PS-17: the worked example as files."""
    made(environ)
    load = ("load", "examples/procurement", "--workspace", "acme")
    first = gatepass(environ, *load)
    assert first.exit_code == 0, first.output
    assert "vendor-intake" in first.output
    assert gatepass(environ, *load).output == first.output


def test_a_faulty_pack_changes_nothing_and_says_why(
    environ: dict[str, str], tmp_path: Path
) -> None:
    made(environ)
    pack = tmp_path / "pack"
    (pack / "forms").mkdir(parents=True)
    (pack / "forms" / "broken.yaml").write_text("title: [")
    assert "is not YAML" in gatepass(environ, "load", str(pack), "-w", "acme").output
    (pack / "forms" / "broken.yaml").write_text("- a list")
    assert "must hold a mapping" in gatepass(environ, "load", str(pack), "-w", "acme").output
    (pack / "forms" / "broken.yaml").write_text("title: A\nschema: {type: object, colour: red}")
    answer = gatepass(environ, "load", str(pack), "-w", "acme")
    assert (answer.exit_code, "/schema/colour" in answer.output) == (1, True)
    (pack / "forms" / "broken.yaml").unlink()
    assert "has none of the folders" in gatepass(environ, "load", str(pack), "-w", "acme").output
    (pack / "documents").mkdir()
    (pack / "documents" / "terms.md").write_text("no header")
    assert "between two lines" in gatepass(environ, "load", str(pack), "-w", "acme").output


def test_settings_and_keys_are_refused_in_words(environ: dict[str, str], tmp_path: Path) -> None:
    answer = gatepass(environ | {"GATEPASS_CODE_DIGITS": "4"}, "migrate")
    assert (answer.exit_code, "must be from 6 to 9" in answer.output) == (1, True)
    none = environ | {"GATEPASS_ROOT_KEY_FILE": str(tmp_path / "none")}
    answer = gatepass(none, "token", "list", "-w", "acme")
    assert (answer.exit_code, "gatepass keyring create" in answer.output) == (1, True)


def test_a_database_that_is_away_is_said(environ: dict[str, str]) -> None:
    away = environ | {"GATEPASS_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none"}
    answer = gatepass(away, "token", "list", "-w", "acme")
    assert (answer.exit_code, "PostgreSQL cannot be reached" in answer.output) == (1, True)


def test_a_root_key_is_never_overwritten(environ: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "new.key"
    assert gatepass(environ, "keyring", "create", str(path)).exit_code == 0
    again = gatepass(environ, "keyring", "create", str(path))
    assert (again.exit_code, "never overwritten" in again.output) == (1, True)


def test_migrating_twice_is_harmless(environ: dict[str, str]) -> None:
    assert gatepass(environ, "migrate").exit_code == 0
    assert "up to date" in gatepass(environ, "migrate").output


def test_a_delivery_report_is_taken_from_a_pipe(environ: dict[str, str]) -> None:
    """PS-37: a mail server's pipe transport hands reports over; what is not ours is left alone."""
    made(environ)
    strange = gatepass(environ, "mail", "bounce", given=REPORT)
    assert (strange.exit_code, "not one of ours" in strange.output) == (0, True)
    letter = EmailMessage()
    letter.set_content("hello")
    nothing = gatepass(environ, "mail", "bounce", given=letter.as_string())
    assert (nothing.exit_code, "nothing to do" in nothing.output) == (0, True)


def test_a_mail_server_that_is_away_is_an_error_with_advice(environ: dict[str, str]) -> None:
    away = environ | {"GATEPASS_SMTP_URL": "smtp://127.0.0.1:1"}
    answer = gatepass(away, "mail", "test")
    assert answer.exit_code == 1
    assert "error" in answer.output
