"""The connector contract: what a source must offer so that the pipeline can read it."""

from __future__ import annotations

import hashlib
import hmac
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, JsonValue

from connectors.records import Record


class Options(BaseModel):
    """Base of a connector's settings in the workspace file; unknown keys are errors.

    Validated with the context `{"folder": Path}`, the workspace file's folder, from which relative
    paths begin.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Batch(NamedTuple):
    """Records of one stream, read from one scope of the source."""

    stream: str
    """A key of `connectors.records.STREAMS`."""
    scope: str
    """Part of the source with a cursor of its own: a repository's id, or the source's name."""
    records: Sequence[Record]
    cursor: JsonValue = None
    """Where to go on in this scope once this batch and all before it are loaded; None moves nothing."""
    is_whole: bool = False
    """The records are all there is of this stream in this scope: what they do not name is gone."""


class Quarantined(NamedTuple):
    """A record that could not be understood; kept aside with its reason while the rest goes on."""

    stream: str
    scope: str
    id: str
    """What names the record in the tool: a sha, a number. Never personal."""
    reason: str


class Problem(NamedTuple):
    """A part of the source that could not be read; the other parts go on."""

    scope: str
    """The scope its batches would have carried: a repository's id, or the configured entry."""
    message: str
    """One line: what is wrong, in the tool's own words where it has some."""
    mend: str
    """One line: what to do about it."""
    is_transient: bool = False
    """A later try may succeed unaided: a time-out, a dropped connection."""


class Note(NamedTuple):
    """Something handled that a person may want to know: an empty repository, a moved tag."""

    scope: str
    message: str


class Covered(NamedTuple):
    """Everything in this scope up to `at` has been yielded, be it new or known before."""

    scope: str
    at: datetime
    """When reading of the scope began, UTC."""
    looked_for: str | None = None
    """Where all `capability_state` of the scope was seen, be it none: names what was looked for. Where that
    is another than before, what is found may have been there all along."""


class Retained(NamedTuple):
    """A scope known from its cursor that the source no longer lists; what is known of it stays."""

    scope: str
    message: str
    """One line: since when, and why it may be so."""


class Contact(NamedTuple):
    """How a person is reached and called: read when it is needed, and kept nowhere."""

    person: str
    """Keyed hash, as in `Membership`."""
    address: str | None
    """Mail address."""
    names: tuple[str, ...]
    """Name as it is shown, and accounts."""


Item = Batch | Quarantined | Problem | Note | Covered | Retained

_LONG_LIVED = re.compile(
    r"(?:main|master|trunk|dev|develop|development|test|testing|qa|stage|staging|preprod|prod|production|live"
    r"|stable|next|gh-pages|v?\d[\dx._-]*|(?:release|releases|rel|stable|support|maintenance|hotfix)[/_-]v?\d[\dx._-]*)",
    re.IGNORECASE,
).fullmatch


@dataclass(frozen=True)
class Context:
    """What the pipeline lends a connector."""

    cache: Path
    """Folder of this source alone that outlives the run, for mirrors and the like."""
    identity_key: bytes = field(repr=False)

    def person(self, identifier: str) -> str:
        """Keyed hash (HMAC-SHA-256, 128 bits, hex) of a person's address or account."""
        normal = identifier.strip().casefold().encode("utf-8", "surrogateescape")
        return hmac.new(self.identity_key, normal, hashlib.sha256).hexdigest()[:32]

    def branch(self, name: str, default: str | None = None) -> str:
        """The name of a branch, kept where it is the default or a long-lived one, else masked.

        People put their names into those of their branches.
        """
        return name if name == default or _LONG_LIVED(name) else f"~{self.person(name)[:12]}"


class Connector(ABC):
    """One configured source. Knows no orchestrator and no database."""

    kind: ClassVar[str]
    """The `kind` in the workspace file."""
    streams: ClassVar[tuple[str, ...]]
    """Streams it can yield, keys of `connectors.records.STREAMS`."""
    options_type: ClassVar[type[Options]]

    def __init__(self, name: str, options: Options, context: Context) -> None:
        self.name = name
        self.options = options
        self.context = context

    @classmethod
    def streams_of(cls, options: Options) -> tuple[str, ...]:  # noqa: ARG003 - for those whose options say
        """Streams that a source with these options yields."""
        return cls.streams

    @abstractmethod
    def read(self, cursors: Mapping[str, JsonValue]) -> Iterator[Item]:
        """Yield what is new since `cursors` (scope → last cursor loaded; empty reads everything).

        May be killed between any two items and called again with the cursors of what was
        loaded. Raises `SourceError` only where nothing of the source can be read.
        """

    @abstractmethod
    def check(self) -> Iterator[Problem | Note]:
        """Yield what `cairn doctor` should say, without changing or copying anything."""


@runtime_checkable
class Directory(Protocol):
    """A connector that can also tell how the people of its memberships are reached."""

    def contacts(self) -> Iterator[Contact]:
        """Everybody it knows; raises `SourceError`."""


class SourceError(Exception):
    """The whole source cannot be read. `str()` is one line without secrets."""

    def __init__(self, message: str, mend: str, *, is_transient: bool = False) -> None:
        super().__init__(message)
        self.mend = mend
        self.is_transient = is_transient
