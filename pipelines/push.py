"""Push: events that others send, on disk before they are accepted.

What is accepted lands as the source `push`; the next sync loads it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from connectors.connector import Batch, Context, Quarantined
from connectors.records import KEYS, Deployment, Record
from connectors.webhooks import followed
from pipelines.home import Home
from pipelines.workspace import PUSH

if TYPE_CHECKING:
    from pipelines.ingest import Read
    from pipelines.landing import Landing

SCOPES = {"deployments": "deployment", "incidents": "incident", "adoption": "capability_use"}
"""What can be pushed, also the scope in which it lands → its stream."""

_FOLLOWED_DAYS = 90
"""How long what was told of a deployment is kept, to be put together with what is told later."""

_DEPLOYMENT = TypeAdapter(Deployment)


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
