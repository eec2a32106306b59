"""The journal of a wave's mails: whom a round has still to reach, so that nobody is written to twice.

One file beside the wave's keys, and destroyed with them on close: it is in no database and no backup.
A round that ended leaves only who could not be reached: neither who was reminded nor who had answered.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

FILE = "delivery.jsonl"


class Busy(Exception):
    """Another process sends mails of the same wave."""


@contextmanager
def held(folder: Path) -> Iterator[Journal]:
    """The journal in the folder of the wave's keys, for one process at a time; else raises `Busy`."""
    try:
        with FileLock(folder / "delivery.lock", timeout=0, mode=0o600):
            yield Journal(folder)
    except Timeout as error:
        raise Busy("Another process is sending mails of this wave: wait for it to end.") from error


class Journal:
    """Rounds of messages: 0 the invitation, then the reminders."""

    def __init__(self, folder: Path) -> None:
        """`folder` is that of the wave's keys."""
        self._path = folder / FILE
        self.round: int | None = None
        """The latest round; None before the first."""
        self.pending: set[str] = set()
        """Persons it has not been tried to reach in that round, or for a while in vain."""
        self.unreached: set[str] = set()
        """Persons without an address, or with one that is refused."""
        for line in self._lines():
            self._take(line)

    @property
    def is_done(self) -> bool:
        """Whether the latest round has been tried with everybody."""
        return self.round is not None and not self.pending

    def begin(self, number: int, persons: Collection[str]) -> None:
        """Begin a round that is to reach these."""
        self._write([{"round": number, "pending": sorted(persons)}], mode="w")

    def again(self) -> None:
        """Try those once more in this round who could not be reached."""
        persons = sorted(self.pending | self.unreached)
        self._write([{"round": self.round, "pending": persons}], mode="w")

    def drop(self, persons: Collection[str]) -> None:
        """Nothing is to be sent to these any more."""
        self._write([{"reached": person} for person in sorted(self.pending & set(persons))])

    def reached(self, person: str) -> None:
        """The person's mail was taken; on disk when this returns."""
        self._write([{"reached": person}])

    def refused(self, person: str) -> None:
        """There is no address, or the server will never take it."""
        self._write([{"unreached": person}])

    def end(self) -> None:
        """Forget everything of the round but who could not be reached, once it is done."""
        if self.is_done:
            unreached = [{"unreached": person} for person in sorted(self.unreached)]
            self._write([{"round": self.round, "pending": []}, *unreached], mode="w")

    def _take(self, line: dict[str, Any]) -> None:
        if "round" in line:
            self.round, self.pending, self.unreached = line["round"], set(line["pending"]), set()
        elif "reached" in line:
            self.pending.discard(line["reached"])
            self.unreached.discard(line["reached"])
        else:
            self.pending.discard(line["unreached"])
            self.unreached.add(line["unreached"])

    def _lines(self) -> Iterator[dict[str, Any]]:
        if self._path.exists():
            for line in self._path.read_text().splitlines():
                try:
                    yield json.loads(line)
                except ValueError:  # The last one, of a process that was killed.
                    return

    def _write(self, lines: list[dict[str, Any]], *, mode: str = "a") -> None:
        target = self._path.with_suffix(".new") if mode == "w" else self._path
        flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if mode == "w" else os.O_APPEND)
        text = "".join(json.dumps(line) + "\n" for line in lines)
        with os.fdopen(os.open(target, flags, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if mode == "w":
            target.replace(self._path)
        for line in lines:
            self._take(line)
