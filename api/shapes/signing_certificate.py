"""The signing certificate as the API takes and shows it; its key is never shown."""

from datetime import datetime
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Base64Bytes, Field, StringConstraints, model_validator

from api.shapes.field import Shown, Wanted
from commands.signing_certificate import certificate_in, seal_level
from store.signing_certificate import SigningCertificateRow

LONGEST_URL = 500
LONGEST_PASSWORD = 200


def timestamp_address(value: str) -> str:
    """The address itself, if a time stamp can be asked there; raises `ValueError`."""
    try:
        parts = urlsplit(value)
        is_good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        is_good = False
    if value and (not is_good or "@" in parts.netloc or not value.isprintable()):
        raise ValueError("must be an address such as https://tsa.example.com/tsr")
    return value


class NewCertificate(Wanted):
    """An empty object makes a certificate; `pkcs12` with its `password` imports one."""

    pkcs12: Base64Bytes | None = Field(None, description="A PKCS #12 file in base64 (RFC 7292)")
    password: Annotated[str, StringConstraints(max_length=LONGEST_PASSWORD)] = ""
    timestamp_url: Annotated[
        str, StringConstraints(max_length=LONGEST_URL), AfterValidator(timestamp_address)
    ] = Field("", description="A time-stamping authority (RFC 3161); seals then reach B-T or B-LTA")

    @model_validator(mode="after")
    def _password_opens_something(self) -> Self:
        if self.password and self.pkcs12 is None:
            raise ValueError("a password needs a `pkcs12` file to open")
        return self


class CertificateShape(Shown):
    """What seals documents at this moment."""

    subject: str
    fingerprint: str
    not_after: datetime
    origin: str = Field(description="`made` here, or `imported`")
    level: str = Field(description="The PAdES level that its seals reach")
    timestamp_url: str
    created_at: datetime
    root: str = Field(description="In PEM: what somebody who checks a seal must trust")

    @classmethod
    def of(cls, row: SigningCertificateRow) -> Self:
        """The shape of a row."""
        root = certificate_in(row).root.decode()
        return cls.showing(row, root=root, level=seal_level(row))
