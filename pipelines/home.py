"""Where Cairn keeps its data."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """The folder `CAIRN_HOME` and the places in it."""

    root: Path

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Home:
        """The folder that `CAIRN_HOME` names, `.cairn` below the working directory without it."""
        return cls(Path(environ.get("CAIRN_HOME") or ".cairn").expanduser().absolute())

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        return self.root / "published"

    @property
    def current_snapshot(self) -> Path:
        """A link to the published snapshot, for tools that are given a file once."""
        return self.root / "published.duckdb"

    @property
    def dagster(self) -> Path:
        return self.root / "dagster"

    @property
    def mirrors(self) -> Path:
        return self.root / "mirrors"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def survey_database(self) -> Path:
        return self.root / "surveys.db"

    @property
    def survey_keys(self) -> Path:
        """Waves' keys and journals: to be in no backup."""
        return self.root / "surveys" / "keys"

    @property
    def status(self) -> Path:
        return self.root / "status.json"

    @property
    def annotations(self) -> Path:
        return self.root / "annotations.json"

    @property
    def messages(self) -> Path:
        """What is to be sent, and what was told."""
        return self.root / "messages.json"

    @property
    def lock(self) -> Path:
        return self.root / "sync.lock"

    def create(self) -> None:
        """Make the folders, readable by their owner alone."""
        if self.root.exists() and not self.root.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "CAIRN_HOME is not a folder", str(self.root))
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.landing, self.published, self.dagster, self.mirrors, self.logs):
            folder.mkdir(mode=0o700, exist_ok=True)

    def identity_key(self) -> bytes:
        """The key people are hashed with; made on first use, mode 600.

        Without it, hashes cannot be tied to addresses, nor new records to old hashes.
        """
        path = self.root / "identity.key"
        if not path.exists():
            made = self.root / f".identity.{secrets.token_hex(4)}"
            write_atomically(made, secrets.token_hex(32).encode())
            # Of two first runs at once one makes the key, and both use it.
            with suppress(FileExistsError):
                path.hardlink_to(made)
            made.unlink()
        return bytes.fromhex(path.read_text())


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` so that a reader, or a kill, sees the old content or the new, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
