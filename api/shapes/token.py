"""What a member's program sends for its tokens, and what it is answered (RFC 6749, RFC 7009)."""

from typing import Literal

from pydantic import BaseModel, Field

from api.shapes.field import Shown
from domain.member_token import Tokens


class TokenWanted(BaseModel):
    """A form; fields that nobody knows are ignored, as RFC 6749 3.2 asks."""

    grant_type: str = Field("", description="`password` or `refresh_token`")
    workspace: str = Field("", description="The workspace's key; with `password`")
    username: str = Field("", description="The member's address; with `password`")
    password: str = ""
    otp: str = Field(
        "", description="A code of the second factor; with `password`, of members who have one"
    )
    client_id: str = Field("", description="What the list of sessions calls the program")
    refresh_token: str = ""


class TokenRevoked(BaseModel):
    """A form with one token, of either kind."""

    token: str = ""


class TokensShape(Shown):
    """A pair of tokens. The old refresh token is used up; what it made before goes on."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - RFC 6750's word
    expires_in: int = Field(description="Seconds that the access token was given")
    refresh_token: str

    @classmethod
    def of(cls, tokens: Tokens) -> "TokensShape":
        """The shape of a pair."""
        return cls(
            access_token=tokens.access,
            expires_in=int(tokens.life.total_seconds()),
            refresh_token=tokens.refresh,
        )


class TokenError(Shown):
    """A refusal as OAuth tells it (RFC 6749 5.2)."""

    error: Literal["invalid_request", "invalid_grant", "unsupported_grant_type"]
    error_description: str
