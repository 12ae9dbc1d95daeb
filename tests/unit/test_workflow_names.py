from uuid import UUID

from domain import workflow_names as names

ID = UUID("01990000-0000-7000-8000-000000000001")


def test_a_workflow_id_is_its_rows_id_behind_its_noun() -> None:
    assert names.public_session_id(ID) == f"public-session:{ID}"
    assert names.mail_id(ID) == f"mail:{ID}"
    assert names.upload_check_id(ID) == f"upload-check:{ID}"
    assert names.signing_session_id(ID) == f"signing-session:{ID}"
    assert names.agreement_id(ID) == f"agreement:{ID}"


def test_every_workflow_has_a_queue_and_mail_has_its_own() -> None:
    assert names.QUEUE_OF == {
        "PublicSession": "gatepass-sessions",
        "Mail": "gatepass-mail",
        "Housekeeping": "gatepass-housekeeping",
        "UploadCheck": "gatepass-upload-checks",
        "SigningSession": "gatepass-signing",
        "Agreement": "gatepass-agreements",
    }
