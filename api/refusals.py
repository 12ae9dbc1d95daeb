"""The one table from refusals to HTTP, and what each tells a program to act on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.problem import ProblemKind
from domain import agreement_errors, errors, member_errors
from domain.errors import DomainError
from domain.upload import UploadRefused


def _nothing(_error: Any) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one refusal is in HTTP, and the members it adds for a program to act on."""

    kind: ProblemKind
    members: Callable[[Any], dict[str, Any]] = _nothing


def _faults(error: Any) -> dict[str, Any]:
    return {"faults": [{"pointer": each.pointer, "message": each.message} for each in error.faults]}


def _named(*names: str) -> Callable[[Any], dict[str, Any]]:
    return lambda error: {name: _plain(getattr(error, name)) for name in names}


def _plain(value: Any) -> Any:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def _upload(error: Any) -> dict[str, Any]:
    found = error.refusal
    return {"reason": found.reason.value, "limit": found.limit, "given": found.given}


def _template(error: Any) -> dict[str, Any]:
    return {"template": error.key, "template_status": error.status}


def _answers(error: Any) -> dict[str, Any]:
    # The answers themselves stay out: they are what the party typed.
    return {"errors": error.errors}


def _changes(error: Any) -> dict[str, Any]:
    return {"changes": list(error.changes)}


TABLE: Mapping[type[DomainError], Meaning] = {
    errors.NotFound: Meaning(ProblemKind(404, "not-found", "Not found")),
    errors.DefinitionFaulty: Meaning(
        ProblemKind(422, "definition-faulty", "The definition has faults"), _faults
    ),
    errors.DefinitionExists: Meaning(
        ProblemKind(409, "definition-exists", "The definition exists already"), _named("key")
    ),
    errors.TemplateNotIssuable: Meaning(
        ProblemKind(409, "template-not-issuable", "The template cannot be issued"), _template
    ),
    errors.TemplateStateRefused: Meaning(
        ProblemKind(409, "template-state-refused", "Not from this template status"), _template
    ),
    member_errors.TokenLifeRefused: Meaning(
        ProblemKind(409, "token-life-refused", "The token would last too long")
    ),
    errors.ScopeRefused: Meaning(ProblemKind(409, "scope-refused", "Outside the template's scope")),
    errors.TransitionRefused: Meaning(
        ProblemKind(409, "transition-refused", "The lifecycle does not allow this"),
        _named("transition", "state"),
    ),
    errors.NothingToAdvance: Meaning(
        ProblemKind(409, "nothing-to-advance", "There is no blocked advance")
    ),
    errors.SessionEnded: Meaning(
        ProblemKind(410, "session-ended", "The session has ended"), _named("end_reason")
    ),
    errors.ReissueRefused: Meaning(
        ProblemKind(409, "reissue-refused", "This session is not issued again")
    ),
    errors.ExtensionRefused: Meaning(
        ProblemKind(409, "extension-refused", "The deadline cannot be moved there"),
        _named("latest"),
    ),
    errors.BindingLost: Meaning(
        ProblemKind(403, "binding-lost", "Another browser may act here"), _named("reason")
    ),
    errors.TaskLocked: Meaning(
        ProblemKind(409, "task-locked", "Another task comes first"), _named("before")
    ),
    errors.TaskDone: Meaning(
        ProblemKind(409, "task-done", "The task was completed before"),
        _named("task", "completed_at"),
    ),
    errors.AnswersRefused: Meaning(
        ProblemKind(422, "answers-refused", "Some answers need attention"), _answers
    ),
    errors.CodeWrong: Meaning(
        ProblemKind(403, "code-wrong", "The code is wrong"), _named("tries_left")
    ),
    errors.CodeSpent: Meaning(ProblemKind(403, "code-spent", "The code can no longer be used")),
    errors.VerificationLocked: Meaning(
        ProblemKind(423, "verification-locked", "Verification is locked")
    ),
    errors.NoContactAddress: Meaning(
        ProblemKind(409, "no-contact-address", "The party has no contact address")
    ),
    errors.MailTooSoon: Meaning(
        ProblemKind(429, "mail-too-soon", "Too many mails"), _named("next_at")
    ),
    errors.PartyInvalid: Meaning(
        ProblemKind(422, "party-invalid", "The party has faults"), _faults
    ),
    errors.IdempotencyKeyReused: Meaning(
        ProblemKind(422, "idempotency-key-reused", "The Idempotency-Key was used before")
    ),
    errors.Unauthenticated: Meaning(
        ProblemKind(401, "unauthenticated", "A bearer token is needed")
    ),
    errors.WorkspaceExists: Meaning(
        ProblemKind(409, "workspace-exists", "The workspace exists already"), _named("key")
    ),
    errors.CursorInvalid: Meaning(ProblemKind(422, "cursor-invalid", "The cursor is unknown")),
    errors.Erased: Meaning(ProblemKind(410, "erased", "This was erased")),
    errors.UploadWithheld: Meaning(
        ProblemKind(409, "upload-withheld", "The file is not given out"), _named("state")
    ),
    errors.RangeRefused: Meaning(
        ProblemKind(416, "range-refused", "No such bytes in the file"), _named("size")
    ),
    errors.EpochInUse: Meaning(
        ProblemKind(409, "epoch-in-use", "The root key's version is in use"), _named("epoch")
    ),
    member_errors.PermissionDenied: Meaning(
        ProblemKind(403, "permission-denied", "Not allowed to this role"), _named("permission")
    ),
    member_errors.MemberInvalid: Meaning(
        ProblemKind(422, "member-invalid", "The member has faults"), _faults
    ),
    member_errors.MemberExists: Meaning(ProblemKind(409, "member-exists", "A member already")),
    member_errors.LastAdministrator: Meaning(
        ProblemKind(409, "last-administrator", "The only administrator")
    ),
    member_errors.DelegationOver: Meaning(
        ProblemKind(409, "delegation-over", "Acting for the other is over")
    ),
    member_errors.DelegationRefused: Meaning(
        ProblemKind(422, "delegation-refused", "Nobody is let act")
    ),
    member_errors.SignInRefused: Meaning(ProblemKind(403, "sign-in-refused", "Not signed in")),
    member_errors.SessionLimitReached: Meaning(
        # The step stays out: it is a secret of the browser that asked.
        ProblemKind(409, "session-limit-reached", "Signed in too often"),
        _named("limit"),
    ),
    member_errors.SomebodyElseSignedIn: Meaning(
        # Neither the step, a secret of the browser that asked, nor who it is.
        ProblemKind(409, "somebody-else-signed-in", "Somebody else is signed in here")
    ),
    member_errors.SecondFactorAsked: Meaning(
        # The step stays out, as above.
        ProblemKind(403, "second-factor-asked", "A second factor is asked for"),
        _named("enrols"),
    ),
    member_errors.TokenRefused: Meaning(
        ProblemKind(400, "token-refused", "The refresh token is refused")
    ),
    member_errors.SignedOut: Meaning(
        ProblemKind(401, "signed-out", "Not signed in"), _named("reason")
    ),
    member_errors.LinkOver: Meaning(
        ProblemKind(410, "link-over", "The link is over"), _named("kind")
    ),
    member_errors.MailContentRefused: Meaning(
        ProblemKind(422, "mail-content-refused", "The mail's text has faults"), _faults
    ),
    member_errors.MailContentMoved: Meaning(
        ProblemKind(409, "mail-content-moved", "The mail's text was changed meanwhile")
    ),
    member_errors.PasswordRefused: Meaning(
        ProblemKind(422, "password-refused", "The password is refused"), _answers
    ),
    member_errors.SettingRefused: Meaning(
        ProblemKind(422, "setting-refused", "Some settings are refused"), _faults
    ),
    member_errors.ChannelDenied: Meaning(
        ProblemKind(403, "channel-denied", "Not on this workspace's release channel"),
        _named("denial"),
    ),
    member_errors.FederationInvalid: Meaning(
        ProblemKind(422, "federation-invalid", "The identity provider has faults"), _faults
    ),
    member_errors.FederatedRefused: Meaning(
        ProblemKind(403, "federated-refused", "Not signed in by the identity provider"),
        _named("fault"),
    ),
    agreement_errors.WindowHeld: Meaning(
        ProblemKind(409, "window-held", "Another window is open"), _named("who")
    ),
    agreement_errors.WindowLost: Meaning(
        ProblemKind(409, "window-lost", "Another window may act here"), _named("reason")
    ),
    agreement_errors.AgreementStale: Meaning(
        ProblemKind(409, "agreement-stale", "The document was changed"), _named("given", "current")
    ),
    agreement_errors.AgreementClosed: Meaning(
        ProblemKind(409, "agreement-closed", "The agreement's state does not allow this"),
        _named("state"),
    ),
    agreement_errors.AgreementSigned: Meaning(
        ProblemKind(409, "agreement-signed", "Somebody has signed"), _named("signers")
    ),
    agreement_errors.AgreementFaulty: Meaning(
        ProblemKind(422, "agreement-faulty", "The agreement has faults"), _faults
    ),
    agreement_errors.SignerHasTurn: Meaning(
        ProblemKind(409, "signer-has-turn", "Another signer comes first"), _named("position")
    ),
    agreement_errors.ChangesUnconfirmed: Meaning(
        ProblemKind(409, "changes-unconfirmed", "The changes are not confirmed"), _changes
    ),
    agreement_errors.StepUpNeeded: Meaning(
        ProblemKind(403, "step-up-needed", "A fresh code is asked for")
    ),
    agreement_errors.TemplateReserved: Meaning(
        ProblemKind(409, "template-reserved", "The template is the product's own"), _named("key")
    ),
    agreement_errors.DocumentRefused: Meaning(
        ProblemKind(422, "document-refused", "The document cannot be signed"),
        _named("reason", "limit"),
    ),
    agreement_errors.NoSigningCertificate: Meaning(
        ProblemKind(409, "no-signing-certificate", "No signing certificate is set up")
    ),
    agreement_errors.CertificateRefused: Meaning(
        ProblemKind(422, "certificate-refused", "The certificate cannot be used"),
        _named("reason"),
    ),
    UploadRefused: Meaning(ProblemKind(422, "upload-refused", "The file is refused"), _upload),
}
