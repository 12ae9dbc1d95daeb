"""A workspace's identity provider as the API takes and shows it; its secret is never shown."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, StringConstraints

from api.shapes.field import Shown, Wanted
from domain.federation import LONGEST_VALUE, FederationFields, MatchBy
from store.federation import FederationRow

Value = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_VALUE)]


class FederationWanted(Wanted):
    """An OpenID Connect provider, our client there, and whose addresses are taken."""

    issuer: Value = Field(description="As the provider's discovery document names it")
    client_id: Value
    client_secret: Value
    domains: list[Value] = Field(default=[], description="Behind the @; an empty list takes all")
    match: MatchBy = Field(
        default=MatchBy.EMAIL,
        description="By what members are known again; `subject` is bound at the first sign-in",
    )

    def fields(self) -> FederationFields:
        """What the command takes."""
        return FederationFields(**dict(self) | {"domains": tuple(self.domains)})


class FederationShape(Shown):
    """The provider of the workspace."""

    issuer: str
    client_id: str
    domains: list[str]
    match: MatchBy
    changed_at: datetime
    redirect_uri: str = Field(description="What to register at the provider")

    @classmethod
    def of(cls, row: FederationRow, redirect_uri: str) -> Self:
        """The shape of a row."""
        return cls.showing(row, redirect_uri=redirect_uri)
