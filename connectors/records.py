"""The canonical records: what every connector yields, whatever tool it reads.

Times are timezone-aware UTC datetimes. A person is a keyed hash, never a name or an
address. `source` (the configured name) is added on landing; with a record's key (`KEYS`) it
identifies the record, so re-yielding one is harmless.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Repository(NamedTuple):
    """A version-controlled repository."""

    id: str
    """Stable within the source: the URL without credentials, or the host's own id."""
    name: str
    """Short name, unique within the source."""
    url: str
    """Where a person can open it; without credentials."""
    default_branch: str | None
    """Branch that HEAD names; None while the repository has no commit."""
    archived: bool


class Commit(NamedTuple):
    """One commit, reachable from a branch or tag when it was read."""

    repository: str
    """`Repository.id`."""
    sha: str
    parents: tuple[str, ...]
    """In git's order; none for a root."""
    author: str
    """Keyed hash of the author's address."""
    is_bot: bool
    """The author's name ends in `[bot]`."""
    authored_at: datetime | None
    """None where the commit carries a date no calendar holds."""
    committed_at: datetime | None
    kind: str
    """`merge`, `revert`, `fix` or `change`, read from parents and subject."""
    change_number: int | None
    """Pull request the subject names, as in `Mend the parser (#12)`."""


class Ref(NamedTuple):
    """A branch or a tag and the commit it names."""

    repository: str
    name: str
    """Without `refs/heads/` or `refs/tags/`."""
    kind: str
    """`branch` or `tag`."""
    sha: str
    """The commit, tag objects peeled."""
    at: datetime | None
    """Tagger's date of an annotated tag, else the commit's committer date."""


Record = Repository | Commit | Ref

STREAMS: dict[str, type[Record]] = {"repository": Repository, "commit": Commit, "ref": Ref}
"""Stream name → record type; a stream lands under its name and loads into `raw.<name>`."""

KEYS: dict[str, tuple[str, ...]] = {
    "repository": ("id",),
    "commit": ("repository", "sha"),
    "ref": ("repository", "kind", "name"),
}
"""Stream name → the fields that identify a record within its source."""
