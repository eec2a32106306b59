"""Credentials of programs: what each may do, until when, and when it last did.

Tokens are kept as SHA-256 alone, which their 256 random bits allow. Secrets that sign have to be kept in
clear, for whoever checks a signature must be able to make it; both are in one file of mode 600.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
import secrets
import time
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal, NamedTuple

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from pipelines.home import Home, write_atomically

TOLERANCE_SECONDS = 300
"""How far the time in a signature may be from now: older ones may be replayed."""

log = logging.getLogger(__name__)


class May(StrEnum):
    """What a credential opens."""

    events = "events"
    """To send events; the others are to read."""
    metrics = "metrics"
    adoption = "adoption"
    surveys = "surveys"
    monitoring = "monitoring"


class CredentialError(Exception):
    """Credentials that cannot be made or read; `str()` says what to do."""


class Credential(NamedTuple):
    """A credential by its name; what it is itself is not known any more."""

    name: str
    kind: Literal["token", "secret"]
    may: frozenset[May]
    created_at: datetime
    expires_at: datetime | None
    """None where it holds until it is revoked."""
    last_used_on: date | None
    """Day (UTC) of the last request that it opened; None before the first."""

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= datetime.now(UTC)


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    created_at: datetime
    may: frozenset[May]
    expires_at: datetime | None = None
    last_used_on: date | None = None
    sha256: str | None = None
    """Of a token, hex."""
    secret: str | None = None
    """In clear."""

    def named(self, name: str) -> Credential:
        kind: Literal["token", "secret"] = "token" if self.sha256 else "secret"
        return Credential(name, kind, self.may, self.created_at, self.expires_at, self.last_used_on)


_KEPT = TypeAdapter(dict[str, _Kept])


def new_token(home: Home, name: str, may: Collection[May], expires_at: datetime | None = None) -> str:
    """Make a token; it is shown now and never again. Raises `CredentialError` for a name in use."""
    token = f"cairn_{secrets.token_urlsafe(32)}"
    made = _Kept(
        created_at=datetime.now(UTC), may=frozenset(may), expires_at=expires_at, sha256=_digest(token)
    )
    _keep(home, name, made)
    return token


def new_secret(home: Home, name: str) -> str:
    """Make a secret that signs webhooks; raises `CredentialError` for a name in use.

    Its form, `whsec_` and base64, is what GitLab asks of a signing token; GitHub takes any.
    """
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    _keep(home, name, _Kept(created_at=datetime.now(UTC), may=frozenset({May.events}), secret=secret))
    return secret


def credentials(home: Home) -> list[Credential]:
    """All there are, by name."""
    return [each.named(name) for name, each in sorted(_read(home).items())]


def revoke(home: Home, name: str) -> bool:
    """Take a credential back; False where there is none of that name."""
    with _editing(home):
        kept = _read(home)
        if name not in kept:
            return False
        del kept[name]
        _write(home, kept)
        return True


def by_token(home: Home, token: str) -> Credential | None:
    """The token's credential; None for a wrong or expired one. Takes the same time whichever it is."""
    presented = _digest(token)
    found = None
    for name, each in _read(home).items():
        if each.sha256 and hmac.compare_digest(each.sha256, presented):
            found = each.named(name)
    return None if found is None or found.has_expired else _used(home, found)


def by_signature(home: Home, headers: Mapping[str, str], body: bytes) -> Credential | None:
    """The secret that signed `body`, as GitHub or as GitLab (Standard Webhooks) does; else None.

    `headers` are by name in lower case.
    """
    found = None
    for name, each in _read(home).items():
        if each.secret and (
            _is_signed_by_gitlab(each.secret, headers, body)
            if "webhook-signature" in headers
            else _is_signed_by_github(each.secret, headers, body)
        ):
            found = each.named(name)
    return found and _used(home, found)


def _used(home: Home, credential: Credential) -> Credential:
    """Note that it was used today: one write a day."""
    today = datetime.now(UTC).date()
    if credential.last_used_on == today:
        return credential
    try:
        with _editing(home):
            kept = _read(home)
            if credential.name in kept:  # it may have been revoked meanwhile
                kept[credential.name].last_used_on = today
                _write(home, kept)
    except OSError as error:
        log.warning("The use of %s could not be noted: %s", credential.name, error)
    return credential._replace(last_used_on=today)


def _is_signed_by_github(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    made = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(made.encode(), headers.get("x-hub-signature-256", "").encode())


def _is_signed_by_gitlab(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    at = headers.get("webhook-timestamp", "")
    if not re.fullmatch(r"[0-9]{1,12}", at) or abs(time.time() - int(at)) > TOLERANCE_SECONDS:
        return False
    signed = f"{headers.get('webhook-id', '')}.{at}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    given = headers["webhook-signature"].encode().split()
    # While a secret is changed for another, there is a signature by each.
    return sum(hmac.compare_digest(made, each) for each in given) > 0


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _path(home: Home) -> Path:
    return home.root / "credentials.json"


def _editing(home: Home) -> FileLock:
    home.create()
    return FileLock(home.root / "credentials.lock", mode=0o600)


def _keep(home: Home, name: str, made: _Kept) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        raise CredentialError(
            "A name has up to 64 letters, digits, `.`, `_` and `-`, and begins with one of the first two."
        )
    with _editing(home):
        kept = _read(home)
        if name in kept:
            raise CredentialError(
                f"There is a credential named {name}: revoke it first, or choose another name."
            )
        _write(home, kept | {name: made})


def _read(home: Home) -> dict[str, _Kept]:
    try:
        return _KEPT.validate_json(_path(home).read_bytes())
    except FileNotFoundError:
        return {}
    except ValidationError:
        pass
    raise CredentialError(f"{_path(home)} is damaged: delete it, then make the tokens and secrets anew.")


def _write(home: Home, kept: Mapping[str, _Kept]) -> None:
    write_atomically(_path(home), _KEPT.dump_json(dict(kept), indent=1, exclude_none=True))
