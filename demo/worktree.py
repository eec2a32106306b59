"""The files of a repository as trees: what its services are made of, and the evidence files beside it."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from demo import evidence
from demo.history import Entry, History
from demo.plan import RepositoryPlan


class _Epoch(NamedTuple):
    """A time in which the evidence files stay as they are."""

    top: dict[str, Entry]
    services: dict[str, dict[str, Entry]]
    """Name → what is in its folder, where the repository has one for each service."""


class Worktree:
    """Trees of one repository, each made once."""

    def __init__(self, history: History, repository: RepositoryPlan) -> None:
        self._history = history
        self._repository = repository
        self._turns = evidence.changes_at(repository)
        self._epochs: dict[int, _Epoch] = {}
        self._folders: dict[tuple[int, str, int], Entry] = {}
        self._trees: dict[tuple[int, ...], Entry] = {}

    def at(self, at: int, revisions: dict[str, int]) -> Entry:
        """The tree at a time; `revisions` says for each service how far its own files are."""
        turn = bisect_right(self._turns, at)
        key = turn, *revisions.values()
        tree = self._trees.get(key)
        if tree is None:
            tree = self._trees[key] = self._made(turn, at, revisions)
        return tree

    def _made(self, turn: int, at: int, revisions: dict[str, int]) -> Entry:
        if turn not in self._epochs:
            self._epochs[turn] = self._epoch(at)
        epoch = self._epochs[turn]
        if not epoch.services:
            (revision,) = revisions.values()
            return self._history.folder(epoch.top | {"source.txt": self._source(revision)})
        folders = {name: self._folder(turn, name, revision) for name, revision in revisions.items()}
        return self._history.folder(epoch.top | {"services": self._history.folder(folders)})

    def _folder(self, turn: int, name: str, revision: int) -> Entry:
        key = turn, name, revision
        if key not in self._folders:
            own = self._epochs[turn].services.get(name, {})
            self._folders[key] = self._history.folder(own | {"source.txt": self._source(revision)})
        return self._folders[key]

    def _source(self, revision: int) -> Entry:
        return self._history.file(f"revision {revision}\n")

    def _epoch(self, at: int) -> _Epoch:
        top: dict[str, str] = {"README.md": f"# {self._repository.name}\n"}
        services: dict[str, dict[str, Entry]] = {}
        for path, text in evidence.files(self._repository, at).items():
            if path.startswith("services/"):
                _, name, file = path.split("/")
                services.setdefault(name, {})[file] = self._history.file(text)
            else:
                top[path] = text
        return _Epoch(self._history.tree(top), services)
