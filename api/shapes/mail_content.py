"""Shapes of the mails' texts."""

from typing import Annotated, Self

from pydantic import StringConstraints

from adapters.mail_rendering import RenderedMail
from api.shapes.field import Shown, Wanted
from commands.mail_content import EDITION, ShownContent
from domain.mail import MailKind
from domain.mail_content import (
    ALLOWED,
    LONGEST_BODY,
    LONGEST_SUBJECT,
    REQUIRED,
    VARIABLES,
    MailText,
    allowed_in_subject,
)

Subject = Annotated[str, StringConstraints(max_length=2 * LONGEST_SUBJECT)]
Body = Annotated[str, StringConstraints(max_length=2 * LONGEST_BODY)]

Edition = Annotated[str, StringConstraints(max_length=EDITION)]


class MailContentWanted(Wanted):
    """A mail's own subject and body, with variables such as `{{ workspace_name }}`."""

    subject: Subject
    body: Body

    @property
    def text(self) -> MailText:
        """The domain value."""
        return MailText(self.subject, self.body.replace("\r\n", "\n"))


class MailContentEdited(MailContentWanted):
    """A mail's text to save; with the `edition` that was read, only if it is still the one."""

    edition: Edition | None = None


class VariableShape(Shown):
    """One variable of a mail: what it stands for, and where it may or must be."""

    name: str
    meaning: str
    in_subject: bool
    required: bool


class MailContentShape(Shown):
    """A mail's text in one language.

    `customised`: the workspace wrote it itself. `version` is the default's that counts here, or
    would without an own text; with a newer one, `newer_default` is true, and a reset takes it.
    `edition` tells this text from others: sent along, it keeps a change from hiding another one.
    """

    kind: MailKind
    language: str
    subject: str
    body: str
    customised: bool
    version: int
    newest_version: int
    newer_default: bool
    edition: str
    variables: list[VariableShape]

    @classmethod
    def of(cls, found: ShownContent) -> Self:
        """The shape of a text as it counts."""
        return cls(
            kind=found.kind,
            language=found.language,
            subject=found.text.subject,
            body=found.text.body,
            customised=found.is_own,
            version=found.version,
            newest_version=found.newest,
            newer_default=found.has_newer,
            edition=found.edition,
            variables=variables_of(found.kind),
        )


def variables_of(kind: MailKind) -> list[VariableShape]:
    """What a kind of mail may name."""
    in_subject, required = allowed_in_subject(kind), REQUIRED.get(kind, ())
    return [
        VariableShape(
            name=each,
            meaning=VARIABLES[each],
            in_subject=each in in_subject,
            required=each in required,
        )
        for each in ALLOWED[kind]
    ]


class MailPreview(Shown):
    """A mail as it would be sent, with sample data."""

    subject: str
    text: str
    html: str

    @classmethod
    def of(cls, mail: RenderedMail) -> Self:
        """The shape of a rendered mail."""
        return cls(subject=mail.subject, text=mail.text, html=mail.html)
