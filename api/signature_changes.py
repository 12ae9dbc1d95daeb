"""What was changed since a signer last saw the document, as its page shows it (EX-19, N7)."""

from dataclasses import dataclass
from decimal import Decimal

from commands.signing import Signing
from domain.agreement_field import AgreementField
from domain.agreement_version import Change


@dataclass(frozen=True, slots=True)
class FieldSide:
    """A field as one version has it; `name` is the other signer's whose it is, or ""."""

    field: AgreementField
    is_own: bool
    name: str

    @property
    def x(self) -> str:
        """How far from the left, in percent of the page's width."""
        return percent(self.field.x)

    @property
    def y(self) -> str:
        """How far from the top, in percent of the page's height."""
        return percent(self.field.y)

    @property
    def width(self) -> str:
        """How wide, in percent of the page's width."""
        return percent(self.field.width)

    @property
    def height(self) -> str:
        """How high, in percent of the page's height."""
        return percent(self.field.height)


def percent(fraction: float) -> str:
    """All digits that are hashed: what differs in the hash differs in these words."""
    text = f"{Decimal(f'{fraction:.6f}') * 100:f}"
    return text.rstrip("0").rstrip(".")


@dataclass(frozen=True, slots=True)
class ShownChange:
    """A change; of a page or the paper which versions have it, of a field its two sides."""

    change: Change
    old: int | None
    new: int | None
    before: FieldSide | None
    after: FieldSide | None


def shown_changes(found: Signing) -> list[ShownChange]:
    """Each difference between the version this signer has seen and the present one."""
    return [_shown(found, each) for each in found.changes]


def _shown(found: Signing, change: Change) -> ShownChange:
    seen = found.row.seen_version if found.row else found.agreement.version
    is_paper = change.what in {"page", "paper"}
    return ShownChange(
        change,
        seen if is_paper and change.before else None,
        found.agreement.version if is_paper and change.after else None,
        _side(found, change.before),
        _side(found, change.after),
    )


def _side(found: Signing, side: str | AgreementField) -> FieldSide | None:
    if isinstance(side, str):
        return None
    names = {each.position: each.name for each in found.signers if each.position != found.position}
    name = names.get(side.signer, "") if side.signer else ""
    return FieldSide(side, side.signer == found.position, name)
