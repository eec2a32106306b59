"""Git repositories for tests: the real history in `tests/data`, and small ones made commit by commit."""

from __future__ import annotations

import gzip
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

SQLITE_UTILS = Path(__file__).parent / "data" / "sqlite-utils.fi.gz"


def imported(path: Path, stream: Path = SQLITE_UTILS) -> Path:
    """A bare repository at `path` with the history of a gzipped `git fast-export`."""
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", path], check=True)
    history = gzip.decompress(stream.read_bytes())
    subprocess.run(["git", "fast-import", "--quiet"], cwd=path, input=history, check=True)
    return path


class Upstream:
    """A bare repository to change at will; its commits have an empty tree and dates an hour apart."""

    def __init__(self, path: Path, *options: str) -> None:
        self.path = path
        self.seconds = 1_700_000_000
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", "--initial-branch=main", *options)
        self.git("config", "uploadpack.allowFilter", "true")
        self.tree = self.git("hash-object", "-t", "tree", "-w", os.devnull)

    def git(self, *arguments: str, stdin: str = "") -> str:
        self.seconds += 3600
        identity = {
            f"GIT_{role}_{field}": value
            for role in ("AUTHOR", "COMMITTER")
            for field, value in (
                ("NAME", "Ada"),
                ("EMAIL", "ada@example.invalid"),
                ("DATE", f"{self.seconds} +0100"),
            )
        }
        run = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env=os.environ | identity,
            input=stdin.encode("utf-8", "surrogateescape"),
            stdout=subprocess.PIPE,
            check=True,
        )
        return run.stdout.decode("utf-8", "surrogateescape").strip()

    def hold(self, files: Mapping[str, str | bytes]) -> None:
        """From the next commit on these files, by path, and no others."""
        # As `git fast-import` reads them, for work trees have links and names that a file system may lack.
        rows = []
        for path, text in files.items():
            content = text.encode() if isinstance(text, str) else text
            rows.append(f"M 100644 inline {path}\ndata {len(content)}\n".encode() + content)
        stream = (
            b"commit refs/cairn/tree\ncommitter A <a> 0 +0000\ndata 0\ndeleteall\n" + b"\n".join(rows) + b"\n"
        )
        subprocess.run(["git", "fast-import", "--quiet", "--force"], cwd=self.path, input=stream, check=True)
        self.tree = self.git("rev-parse", "refs/cairn/tree^{tree}")
        self.git("update-ref", "-d", "refs/cairn/tree")

    def commit(self, subject: str = "a change", *parents: str, branch: str | None = "main") -> str:
        """A commit on `parents`, or else on the branch's last, which is moved to it."""
        known = [*parents] or ([self.tip(branch)] if branch and self.tip(branch) else [])
        given = [option for parent in known for option in ("-p", parent)]
        sha = self.git("commit-tree", self.tree, *given, "-m", subject)
        if branch:
            self.git("update-ref", f"refs/heads/{branch}", sha)
        return sha

    def raw_commit(self, text: str, branch: str | None = "main") -> str:
        """A commit of any text after `tree` and `parent`, however wrong."""
        parent = self.tip(branch) if branch else ""
        content = f"tree {self.tree}\n" + (f"parent {parent}\n" if parent else "") + text
        sha = self.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=content)
        if branch:
            self.git("update-ref", f"refs/heads/{branch}", sha)
        return sha

    def tip(self, branch: str) -> str:
        return self.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")

    def tag(
        self, name: str, target: str = "main", *, message: str | None = None, force: bool = False
    ) -> None:
        """A lightweight tag, or an annotated one with `message`."""
        options = [*(["-f"] if force else []), *(["-a", "-m", message] if message else [])]
        self.git("-c", "advice.nestedTag=false", "tag", *options, name, target)
