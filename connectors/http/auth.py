"""Credentials over HTTP: a token, a password, a GitHub App, OAuth client credentials.

Each is a frozen object whose `repr` shows no secret. What they obtain at run time, and when
that expires, is kept by the client that uses them.
"""

from __future__ import annotations

import base64
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import SecretStr

from connectors.connector import SourceError
from connectors.http.limits import server_date

if TYPE_CHECKING:
    from connectors.http.reading import Answer

Send = Callable[[str, str, Mapping[str, str], Mapping[str, str] | None], "Answer"]
"""Sends (method, path or URL, headers, form) without the credentials that are being obtained."""

_JWT_AGE_SECONDS = 60
"""The issue time is set back, for clocks differ."""
_JWT_LIFE_SECONDS = 540


class Grant(NamedTuple):
    """A header that opens the tool. Secret."""

    header: str
    value: str
    lasts_seconds: float | None = None
    """How long from now on; None for ever, as far as is known."""

    def __repr__(self) -> str:
        return f"Grant({self.header!r})"


class Auth(ABC):
    """What a client proves with who it is."""

    is_renewable = False
    """Whether another `grant` may be accepted where the last one was not."""

    @property
    @abstractmethod
    def secrets(self) -> tuple[str, ...]:
        """What must show nowhere."""

    @abstractmethod
    def grant(self, send: Send) -> Grant:
        """The header to send; raises `SourceError` where it cannot be had."""


@dataclass(frozen=True)
class _Header(Auth):
    header: str
    value: str = field(repr=False)
    secret: str = field(repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.secret, self.value.rpartition(" ")[2])

    def grant(self, send: Send) -> Grant:  # noqa: ARG002
        return Grant(self.header, self.value)


def bearer(token: SecretStr, header: str = "Authorization", scheme: str = "Bearer") -> Auth:
    """A token sent as it is; an empty `scheme` sends it alone, as GitLab's `PRIVATE-TOKEN` wants it.

    Raises `SourceError` for a token that no header can carry.
    """
    secret = _sendable(token.get_secret_value().strip(), "The token")
    return _Header(header, f"{scheme} {secret}".strip(), secret)


def basic(user: str, password: SecretStr) -> Auth:
    """A user name with a password or token."""
    secret = password.get_secret_value()
    pair = base64.b64encode(f"{user}:{secret}".encode()).decode()
    return _Header("Authorization", f"Basic {pair}", secret)


def _sendable(secret: str, what: str) -> str:
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise SourceError(
            f"{what} is empty or holds characters that no token has", "Copy it anew, alone and on one line."
        )
    return secret


@dataclass(frozen=True)
class _GitHubApp(Auth):
    app_id: str
    private_key: SecretStr
    installation_id: int | None

    is_renewable = True

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.private_key.get_secret_value(),)

    def grant(self, send: Send) -> Grant:
        headers = {"Authorization": f"Bearer {self._jwt()}"}
        installation = self.installation_id or self._only_installation(send, headers)
        answer = send("POST", f"/app/installations/{installation}/access_tokens", headers, None)
        token, expires = _texts(answer, "token", "expires_at")
        try:
            lasts = (datetime.fromisoformat(expires) - server_date(answer.headers)).total_seconds()
        except (TypeError, ValueError):
            lasts = 0.0
        return Grant("Authorization", f"Bearer {token}", lasts)

    def _jwt(self) -> str:
        import jwt  # with it comes the cryptography that only a GitHub App needs

        now = int(time.time())
        claims = {"iat": now - _JWT_AGE_SECONDS, "exp": now + _JWT_LIFE_SECONDS, "iss": self.app_id}
        try:
            # Environment variables often carry the line breaks of a key as `\n`.
            key = self.private_key.get_secret_value().replace("\\n", "\n")
            return jwt.encode(claims, key, algorithm="RS256")
        except (jwt.PyJWTError, ValueError, TypeError):
            pass
        raise SourceError(
            "The private key of the GitHub App cannot be read",
            "Give the whole content of the .pem file that GitHub made.",
        )

    def _only_installation(self, send: Send, headers: Mapping[str, str]) -> int:
        listed = send("GET", "/app/installations?per_page=100", headers, None).json()
        active = [each for each in listed if isinstance(each, dict) and not each.get("suspended_at")]
        if len(active) == 1 and isinstance(active[0].get("id"), int):
            return int(active[0]["id"])
        if not active:
            raise SourceError(
                "The GitHub App is installed nowhere", "Install it in the organisation, then try again."
            )
        named = ", ".join(map(_installation_name, active[:10])) + (", …" if len(active) > 10 else "")
        raise SourceError(
            f"The GitHub App is installed {len(active)} times: {named}", "Set installation_id to one of them."
        )


def _installation_name(installation: dict[str, Any]) -> str:
    number = str(installation.get("id"))
    match installation.get("account"):
        case {"type": "Organization", "login": str() as login}:
            return f"{number} ({login})"
    # An account that is a person's is not named.
    return number


def github_app(app_id: str | int, private_key: SecretStr, installation_id: int | None) -> Auth:
    """A GitHub App's installation, its tokens renewed as they expire; the only one where None is given."""
    return _GitHubApp(str(app_id), private_key, installation_id)


@dataclass(frozen=True)
class _ClientCredentials(Auth):
    token_url: str
    client_id: str
    client_secret: SecretStr
    scope: str | None

    is_renewable = True

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.client_secret.get_secret_value(),)

    def grant(self, send: Send) -> Grant:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret.get_secret_value(),
        }
        answer = send("POST", self.token_url, {}, form | ({"scope": self.scope} if self.scope else {}))
        (token,) = _texts(answer, "access_token")
        lasts = answer.json().get("expires_in")
        return Grant(
            "Authorization", f"Bearer {token}", float(lasts) if isinstance(lasts, int | float) else None
        )


def client_credentials(
    token_url: str, client_id: str, client_secret: SecretStr, scope: str | None = None
) -> Auth:
    """OAuth 2's client credentials, sent in the form; the access tokens are renewed as they expire."""
    return _ClientCredentials(token_url, client_id, client_secret, scope)


def _texts(answer: Answer, *names: str) -> list[str]:
    body = answer.json()
    values = [body.get(name) if isinstance(body, dict) else None for name in names]
    if not all(isinstance(value, str) and value for value in values):
        raise SourceError(
            f"{answer.url} was answered without {' and '.join(names)}",
            "Check that this is the right address.",
        )
    return [str(value) for value in values]
