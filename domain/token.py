"""The kinds of tokens that `gatepass token create` makes; none is good where another is."""

from enum import StrEnum


class TokenKind(StrEnum):
    """What a token opens: the JSON API with a role, or SCIM for a directory."""

    API = "api"
    SCIM = "scim"
