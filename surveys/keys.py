"""The keys of a wave: files outside the database and its backups, destroyed when the wave closes.

Links are derived from the person, so a reminder repeats the link that the invitation had; the database
knows only a token's HMAC under another key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from surveys import sealing
from surveys.errors import KeysGone

_BYTES = 32


class WaveKeys:
    """The key files of one wave in its folder; each is read when it is used, and kept nowhere else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self) -> bytes:
        """Make the files anew, on disk before this returns; the public key that answers are sealed to."""
        private, public = sealing.key_pair()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = {
            "token": secrets.token_bytes(_BYTES),
            "lookup": secrets.token_bytes(_BYTES),
            "sealing": private,
        }
        for name, key in made.items():
            _write(self.folder / f"{name}.key", key)
        _sync(self.folder)
        _sync(self.folder.parent)
        return public

    @property
    def sealing(self) -> bytes:
        """The private key that opens sealed answers."""
        return self._read("sealing")

    def tokens(self) -> Callable[[str], str]:
        """From a person to their token: 256 bits, base64url."""
        key = self._read("token")

        def token(person: str) -> str:
            return base64.urlsafe_b64encode(_hmac(key, person.encode())).rstrip(b"=").decode()

        return token

    def marks(self) -> Callable[[str], bytes]:
        """From a token, or any text, to what the database knows of it."""
        key = self._read("lookup")
        return lambda token: _hmac(key, b"mark " + token.encode("utf-8", "surrogatepass"))

    def partial_key(self, token: str) -> bytes:
        """What locks this token's partial answer: neither the token alone nor the files alone give it."""
        return _hmac(self._read("lookup"), b"partial " + token.encode())

    def destroy(self) -> None:
        """Overwrite and remove every file of the folder, and the folder; again is harmless.

        What a copy-on-write file system or a flash disk keeps of overwritten blocks is beyond this.
        """
        if not self.folder.exists():
            return
        for path in [*self.folder.iterdir()]:
            _write(path, os.urandom(path.stat().st_size))
            path.unlink()
        self.folder.rmdir()
        _sync(self.folder.parent)

    def _read(self, name: str) -> bytes:
        path = self.folder / f"{name}.key"
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            raise KeysGone(
                f"{path} is missing: without it the wave's links and sealed answers are lost"
            ) from None
        if len(key) != _BYTES:
            raise KeysGone(f"{path} is damaged: it has {len(key)} bytes instead of {_BYTES}")
        return key


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, hashlib.sha256)


def _write(path: Path, data: bytes) -> None:
    # Not truncated first: the same blocks are written over.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
