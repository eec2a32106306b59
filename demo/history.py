"""The git objects of a repository, made as git would make them, so that their ids are the real ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from demo.world import Person

HOST = Person("web-flow", "Demo Hub", "noreply@hub.demo.example", is_bot=True)
"""Commits in a person's stead where they press a button."""


class Entry(NamedTuple):
    """What a name in a folder stands for."""

    mode: str
    sha: str


class History:
    """Objects and references of one repository."""

    def __init__(self, default_branch: str) -> None:
        self.default_branch = default_branch
        self.objects: dict[str, tuple[str, bytes]] = {}
        """Id → type and content."""
        self.refs: dict[str, str] = {}
        """Full name → id."""

    def file(self, text: str) -> Entry:
        """A file with this content."""
        return Entry("100644", self._add("blob", text.encode()))

    def folder(self, entries: Mapping[str, Entry]) -> Entry:
        """A folder of files and folders."""
        rows = [
            # git sorts a folder as if its name ended in a slash.
            (f"{name}/" if mode == "40000" else name, f"{mode} {name}\0".encode() + bytes.fromhex(sha))
            for name, (mode, sha) in entries.items()
        ]
        return Entry("40000", self._add("tree", b"".join(row for _, row in sorted(rows))))

    def tree(self, files: Mapping[str, str]) -> dict[str, Entry]:
        """The entries at the top of a tree that holds these files (path → text)."""
        entries: dict[str, Entry] = {}
        below: dict[str, dict[str, str]] = {}
        for path, text in files.items():
            top, _, rest = path.partition("/")
            if rest:
                below.setdefault(top, {})[rest] = text
            else:
                entries[top] = self.file(text)
        return entries | {top: self.folder(self.tree(inner)) for top, inner in below.items()}

    def commit(
        self,
        tree: Entry,
        parents: tuple[str, ...],
        author: Person,
        authored_at: int,
        message: str,
        *,
        committer: Person | None = None,
        committed_at: int | None = None,
    ) -> str:
        """A commit's id; the author is its committer unless another is named."""
        by = committer or author
        lines = [f"tree {tree.sha}", *(f"parent {parent}" for parent in parents)]
        lines.append(f"author {author.name} <{author.email}> {authored_at} +0100")
        lines.append(f"committer {by.name} <{by.email}> {committed_at or authored_at} +0100")
        return self._add("commit", "\n".join([*lines, "", message, ""]).encode())

    def tag(self, name: str, commit: str, tagger: Person, at: int, *, is_annotated: bool) -> None:
        """Name a commit, with a tag object or without."""
        named = commit
        if is_annotated:
            head = (
                f"object {commit}\ntype commit\ntag {name}\ntagger {tagger.name} <{tagger.email}> {at} +0100"
            )
            named = self._add("tag", f"{head}\n\n{name}\n".encode())
        self.refs[f"refs/tags/{name}"] = named

    def _add(self, kind: str, content: bytes) -> str:
        sha = hashlib.sha1(b"%s %d\0" % (kind.encode(), len(content)), usedforsecurity=False)
        sha.update(content)
        name = sha.hexdigest()
        self.objects[name] = kind, content
        return name
