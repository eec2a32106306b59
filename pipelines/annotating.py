"""What happened when: the workspace's annotations, and those that people add, in one file.

It lives beside the published snapshot, so that one that is added is there at once. Whoever changes the file
holds its lock, and replaces it whole: two at once, or a sync, lose nothing of one another's.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from pipelines.annotation_settings import AnnotationConfig, Level, Text
from pipelines.home import Home, write_atomically


class AnnotationError(Exception):
    """What cannot be done; `str()` says why and how to mend it."""


class Annotation(BaseModel):
    """Something that happened, or will."""

    model_config = ConfigDict(frozen=True)
    id: str
    date: dt.date
    """Local day."""
    text: Text
    level: Level
    key: str | None
    """Name of what it is about; None for the whole."""
    origin: Literal["workspace", "added"]


_ALL = TypeAdapter(tuple[Annotation, ...])


def read(home: Home) -> tuple[Annotation, ...]:
    """All of them, the earliest first. Raises `AnnotationError` where the file is damaged."""
    try:
        return _ALL.validate_json(home.annotations.read_bytes())
    except FileNotFoundError:
        return ()
    except ValidationError as error:
        raise AnnotationError(
            f"The annotations in {home.annotations} cannot be read. Mend the file, or move it away: those of"
            " the workspace come back with the next sync."
        ) from error


def add(home: Home, date: dt.date, text: str, level: Level, key: str | None) -> Annotation:
    """Add one. Raises `AnnotationError` for a text that the workspace would not take either."""
    try:
        new = Annotation(id=secrets.token_hex(4), date=date, text=text, level=level, key=key, origin="added")
    except ValidationError as error:
        said = error.errors()[0]
        why = "has to have from 1 to 200 characters"
        if mend := said.get("ctx", {}).get("mend"):
            why = f"{said['msg']}. {mend}"
        raise AnnotationError(f"The text {why}.") from error
    with _changing(home) as known:
        known.append(new)
    return new


def remove(home: Home, annotation_id: str) -> Annotation:
    """Remove one that was added. Raises `AnnotationError` for others."""
    with _changing(home) as known:
        found = next((each for each in known if each.id == annotation_id), None)
        if found is None:
            raise AnnotationError(f"There is no annotation {annotation_id}.")
        if found.origin == "workspace":
            raise AnnotationError("It stands in the workspace file: remove it there, and sync.")
        known.remove(found)
    return found


def take(home: Home, configured: Sequence[AnnotationConfig]) -> None:
    """Put the workspace's in the place of those that it had before."""
    wanted = [
        Annotation(id=_id(each), date=each.date, text=each.text, level=level, key=key, origin="workspace")
        for each in configured
        for level, key in [each.about]
    ]
    if {each for each in read(home) if each.origin == "workspace"} != {*wanted}:
        with _changing(home) as known:
            known[:] = [*(each for each in known if each.origin == "added"), *dict.fromkeys(wanted)]


def _id(configured: AnnotationConfig) -> str:
    return hashlib.sha256(configured.model_dump_json().encode()).hexdigest()[:8]


@contextmanager
def _changing(home: Home) -> Iterator[list[Annotation]]:
    """The annotations, written back in order of time unless an exception leaves the context."""
    home.create()
    with FileLock(home.annotations.with_suffix(".lock")):
        known = [*read(home)]
        yield known
        known.sort(key=lambda each: (each.date, each.id))
        write_atomically(home.annotations, _ALL.dump_json(tuple(known), indent=1))
