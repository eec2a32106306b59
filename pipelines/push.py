"""Push: events that others send, on disk before they are accepted, and who may send them.

What is accepted lands as the source `push`; the next sync loads it. Tokens are kept as SHA-256
alone, which their 256 random bits allow. Secrets that sign have to be kept in clear, for whoever
checks a signature must be able to make it; both are in one file of mode 600.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from connectors.connector import Batch, Context, Quarantined
from connectors.records import KEYS, Deployment, Record
from connectors.webhooks import followed
from pipelines.home import Home, write_atomically
from pipelines.workspace import PUSH

if TYPE_CHECKING:
    from pipelines.ingest import Read
    from pipelines.landing import Landing

SCOPES = {"deployments": "deployment", "incidents": "incident", "adoption": "capability_use"}
"""What can be pushed, also the scope in which it lands → its stream."""

TOLERANCE_SECONDS = 300
"""How far the time in a signature may be from now: older ones may be replayed."""

_FOLLOWED_DAYS = 90
"""How long what was told of a deployment is kept, to be put together with what is told later."""

_DEPLOYMENT = TypeAdapter(Deployment)


class PushError(Exception):
    """Credentials that cannot be made or read; `str()` says what to do."""


class Credential(NamedTuple):
    """A credential by its name; what it is itself is not known any more."""

    name: str
    kind: Literal["token", "secret"]
    created_at: datetime


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    created_at: datetime
    sha256: str | None = None
    """Of a token, hex."""
    secret: str | None = None
    """In clear."""


_KEPT = TypeAdapter(dict[str, _Kept])


def new_token(home: Home, name: str) -> str:
    """Make a token that may push; it is shown now and never again. Raises `PushError` for a name in use."""
    token = f"cairn_{secrets.token_urlsafe(32)}"
    _keep(home, name, _Kept(created_at=datetime.now(UTC), sha256=_digest(token)))
    return token


def new_secret(home: Home, name: str) -> str:
    """Make a secret that signs webhooks; raises `PushError` for a name in use.

    Its form, `whsec_` and base64, is what GitLab asks of a signing token; GitHub takes any.
    """
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    _keep(home, name, _Kept(created_at=datetime.now(UTC), secret=secret))
    return secret


def tokens(home: Home) -> list[Credential]:
    """Who may push, by name."""
    kept = _read(home)
    return [
        Credential(name, "token" if each.sha256 else "secret", each.created_at)
        for name, each in sorted(kept.items())
    ]


def revoke(home: Home, name: str) -> bool:
    """Take a credential back; False where there is none of that name."""
    with _editing(home):
        kept = _read(home)
        if name not in kept:
            return False
        del kept[name]
        _write(home, kept)
        return True


def sender_by_token(home: Home, token: str) -> str | None:
    """Name of the token; None for a wrong one. Takes the same time whichever it is."""
    presented = _digest(token)
    found = None
    for name, each in _read(home).items():
        if each.sha256 and hmac.compare_digest(each.sha256, presented):
            found = name
    return found


def sender_by_signature(home: Home, headers: Mapping[str, str], body: bytes) -> str | None:
    """Name of the secret that signed `body`, as GitHub or as GitLab (Standard Webhooks) does; else None.

    `headers` are by name in lower case.
    """
    found = None
    for name, each in _read(home).items():
        if each.secret and (
            _is_signed_by_gitlab(each.secret, headers, body)
            if "webhook-signature" in headers
            else _is_signed_by_github(each.secret, headers, body)
        ):
            found = name
    return found


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


def context(home: Home) -> Context:
    """What parsers of events need: with it persons are hashed as those that connectors read are."""
    return Context(cache=home.mirrors / PUSH, identity_key=home.identity_key())


def accept(home: Home, scope: str, records: Sequence[Record], failed: Sequence[Quarantined] = ()) -> None:
    """Land events as they are; when this returns, they outlive a kill and a power cut. Raises `OSError`.

    Of records with the same key the last one holds, in one call and over all of them.
    """
    key = KEYS[SCOPES[scope]]
    last = {tuple(getattr(record, field) for field in key): record for record in records}
    landing = _landing(home.landing)
    misfits = landing.write(Batch(SCOPES[scope], scope, list(last.values()))) if last else []
    if failed or misfits:
        landing.quarantine([*failed, *misfits])
    landing.settle()


def accept_webhook(home: Home, deployment: Deployment) -> None:
    """Land what is known of a deployment after an event that tells of a part of it. Raises `OSError`."""
    try:
        with closing(_followed(home)) as known:
            known.execute("begin immediate")
            row = known.execute("select record from deployment where id = ?", [deployment.id]).fetchone()
            if row is not None:
                deployment = followed(_DEPLOYMENT.validate_json(row[0]), deployment)
            accept(home, "deployments", [deployment])
            known.execute(
                "insert or replace into deployment values (?, ?, ?)",
                [deployment.id, _DEPLOYMENT.dump_json(deployment), time.time()],
            )
            known.execute("delete from deployment where told_at < ?", [time.time() - _FOLLOWED_DAYS * 86_400])
            known.execute("commit")
    except sqlite3.Error as error:
        raise OSError(None, str(error), str(home.root / "push.db")) from error


def outcome(home: Home, at: datetime) -> dict[str, Read]:
    """For the loader: all that was accepted before `at` has landed. Empty while nothing ever was."""
    from pipelines.ingest import Read

    if not (home.landing / PUSH).exists():
        return {}
    # Not complete: what another load found is not to be removed.
    return {PUSH: Read(dict.fromkeys(SCOPES, at), is_complete=False)}


@lru_cache(maxsize=4)
def _landing(folder: Path) -> Landing:
    from pipelines.landing import Landing  # half a second, which serving can spare before the first event

    return Landing(folder, PUSH, is_shared=True)


def _followed(home: Home) -> sqlite3.Connection:
    path = home.root / "push.db"
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    connection.execute(
        "create table if not exists deployment (id text primary key, record text, told_at real)"
    )
    return connection


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _path(home: Home) -> Path:
    return home.root / "push.json"


def _editing(home: Home) -> FileLock:
    home.create()
    return FileLock(home.root / "push.lock", mode=0o600)


def _keep(home: Home, name: str, made: _Kept) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        raise PushError(
            "A name has up to 64 letters, digits, `.`, `_` and `-`, and begins with one of the first two."
        )
    with _editing(home):
        kept = _read(home)
        if name in kept:
            raise PushError(f"There is a credential named {name}: revoke it first, or choose another name.")
        _write(home, kept | {name: made})


def _read(home: Home) -> dict[str, _Kept]:
    try:
        return _KEPT.validate_json(_path(home).read_bytes())
    except FileNotFoundError:
        return {}
    except ValidationError:
        pass
    raise PushError(f"{_path(home)} is damaged: delete it, then make the tokens and secrets anew.")


def _write(home: Home, kept: Mapping[str, _Kept]) -> None:
    write_atomically(_path(home), _KEPT.dump_json(dict(kept), indent=1, exclude_none=True))
