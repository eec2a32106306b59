"""What is to be sent and what was told: a file in the home, so that nothing is said twice or lost.

A message is put here in the same write that notes what it tells of, and leaves when each of its channels has
it. A kill between a server's answer and the note sends one mail again, under the same Message-ID.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Literal

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from pipelines.home import Home, write_atomically


class OutboxError(Exception):
    """The file cannot be read; `str()` says what to do."""


class Message(BaseModel):
    """Something to be sent over several channels."""

    model_config = ConfigDict(extra="ignore", ser_json_bytes="base64", val_json_bytes="base64")
    kind: Literal["digest", "alerts"]
    """Whose settings say where it goes."""
    id: str
    """Unique, and the same on another try."""
    made_at: datetime
    subject: str
    text: str
    html: str | None = None
    file_name: str | None = None
    pdf: bytes | None = None
    waiting: list[str]
    """Channels that do not have it yet."""


class Outbox(BaseModel):
    """The file as a whole."""

    model_config = ConfigDict(extra="ignore")
    messages: list[Message] = []
    digests: list[str] = []
    """Periods told of, `2026-10`, in their order."""
    alerts: dict[str, str] = {}
    """Alert told of and not ended → what was said."""
    day: date | None = None
    """The last local day with alerts."""
    said: int = 0
    """How many there were on it."""
    snapshot: str | None = None
    """Id of the last one looked at."""
    _home: Home = PrivateAttr()

    def save(self) -> None:
        """On disk when this returns; without what every channel has."""
        self.messages = [message for message in self.messages if message.waiting]
        write_atomically(self._home.messages, self.model_dump_json(indent=1).encode())


def read(home: Home) -> Outbox:
    """As it is on disk; an empty one before the first message. Raises `OutboxError`."""
    try:
        outbox = Outbox.model_validate_json(home.messages.read_bytes())
    except FileNotFoundError:
        outbox = Outbox()
    except ValidationError:
        raise OutboxError(
            f"{home.messages} cannot be read. Move it away: what was sent before may then be sent once more."
        ) from None
    outbox._home = home
    return outbox


@contextmanager
def opened(home: Home) -> Iterator[Outbox]:
    """The outbox for this process alone; another waits. Raises `OutboxError`."""
    home.create()
    with FileLock(home.messages.with_suffix(".lock")):
        yield read(home)
