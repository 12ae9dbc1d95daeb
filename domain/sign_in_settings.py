"""The settings of ways to sign in besides the password: a part of the one catalogue."""

from dataclasses import dataclass

from domain.federation import Channel
from domain.setting import OF_WORKSPACE, switch, text


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInSettings:
    """Which other ways there are; read as members of `Settings`."""

    login_basic: bool = switch(
        default=False,
        meaning="Let members' programs sign in with HTTP Basic at every request of the API",
        **OF_WORKSPACE,
    )
    login_integrated_header: str = text(
        "",
        "Header in which a trusted proxy names the member who is there, by mail address; empty for"
        " none",
    )
    login_federated_channel: str = text(
        Channel.CONTROLLED,
        "Workspaces that may have members sign in through an identity provider of theirs: those on"
        " this release channel, `general` for all",
        choices=tuple(Channel),
    )
    login_federated_networks: str = text(
        "",
        "Networks (CIDR, comma separated) inside yours in which identity providers and"
        " time-stamping authorities may be; all others inside are refused",
    )
