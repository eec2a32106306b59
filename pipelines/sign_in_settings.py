"""The settings `sign_in` of a workspace: which identity provider says who may read what."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from connectors.web_address import WebAddress
from pipelines.config_file import refusal
from pipelines.setting_types import Duration, Name, Settings


def _is_of_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _safe(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" and not _is_of_this_machine(parts.hostname or ""):
        raise refusal("would send what signs people in in clear", "Write the address with `https://`")
    return url


def _origin(url: str) -> str:
    parts = urlsplit(url)
    if parts.path:
        raise refusal("has a path", f"Give Cairn a host of its own: `{parts.scheme}://{parts.netloc}`")
    return url


SafeAddress = Annotated[WebAddress, AfterValidator(_safe)]
"""https, or http where nothing leaves the machine."""


class RolesConfig(Settings):
    """Values of the claim that make a person what; one value may stand under several."""

    developer: tuple[Name, ...] = ()
    leadership: tuple[Name, ...] = ()
    platform: tuple[Name, ...] = ()
    admin: tuple[Name, ...] = ()


class SignInConfig(Settings):
    """Who asks people who they are, and what the answer lets them read."""

    issuer: SafeAddress
    """The provider, as its discovery document calls itself; a slash at its end does not count."""
    client_id: Name
    client_secret: SecretStr
    public_url: Annotated[SafeAddress, AfterValidator(_origin)]
    """Address under which people reach Cairn: scheme, host and port."""
    claim: Name = "groups"
    """Holds a list or a single text; looked up as it stands, then by its dots, as `realm_access.roles`."""
    roles: RolesConfig = RolesConfig()
    everyone: Literal["developer", "leadership", "platform", "admin"] | None = None
    """What whoever signs in is at least; None where only the claim gives a role."""
    scopes: tuple[Name, ...] = ()
    """Asked for beside `openid`."""
    session: Duration = Field(timedelta(hours=8), ge=timedelta(minutes=1), le=timedelta(days=30))
    """How long a sign-in holds; a role that is taken away goes with the session at the latest."""
    contact: Name = "whoever runs Cairn here"
    """Whom to ask for a role: ends the sentence `ask …`."""

    @model_validator(mode="after")
    def _lets_somebody_in(self) -> Self:
        if not self.everyone and self.roles == RolesConfig():
            raise refusal("gives nobody a role", "Add `roles`, or `everyone: developer`")
        return self
