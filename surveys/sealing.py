"""Sealing: what someone answered, unreadable at rest until their wave closes.

A submission is sealed to the wave's public key (HPKE, RFC 9180), a partial answer locked under a key that
takes the token to derive. Both have one size: a length would tell whose answer is whose.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from pydantic import JsonValue

from surveys.errors import SealBroken, TooLong

CAPACITY = 24_000
"""Bytes of UTF-8 that fit: the answers of one person as JSON, with their cohort."""

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_END = b"\x80"
_NONCE_BYTES = 12


def key_pair() -> tuple[bytes, bytes]:
    """A new private key and its public key, 32 bytes each."""
    private = X25519PrivateKey.generate()
    return private.private_bytes_raw(), private.public_key().public_bytes_raw()


def seal(public_key: bytes, wave: str, content: Mapping[str, JsonValue]) -> bytes:
    """Sealed so that only the private key opens it, and only as this wave's.

    Raises `TooLong`, and `ValueError` for a number that JSON has not (NaN, infinity).
    """
    return _SUITE.encrypt(_padded(content), X25519PublicKey.from_public_bytes(public_key), wave.encode())


def unseal(private_key: bytes, wave: str, sealed: bytes) -> dict[str, Any]:
    """What was sealed; raises `SealBroken`."""
    try:
        padded = _SUITE.decrypt(sealed, X25519PrivateKey.from_private_bytes(private_key), wave.encode())
    except InvalidTag:
        raise SealBroken(
            f"an answer of wave {wave} was not sealed with this wave's key, or was altered"
        ) from None
    return _content(padded)


def lock(key: bytes, wave: str, content: Mapping[str, JsonValue]) -> bytes:
    """Locked under a key of 32 bytes. Raises as `seal` does."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, _padded(content), wave.encode())


def unlock(key: bytes, wave: str, locked: bytes) -> dict[str, Any]:
    """What was locked; raises `SealBroken`."""
    try:
        padded = ChaCha20Poly1305(key).decrypt(locked[:_NONCE_BYTES], locked[_NONCE_BYTES:], wave.encode())
    except InvalidTag:
        raise SealBroken(f"a partial answer of wave {wave} was altered") from None
    return _content(padded)


def _padded(content: Mapping[str, JsonValue]) -> bytes:
    # Keys are sorted: their order may be that in which the questions were answered. Lone surrogates pass.
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > CAPACITY:
        raise TooLong(f"the answers take {len(data)} bytes, and {CAPACITY} fit")
    return (data + _END).ljust(CAPACITY + len(_END), b"\0")


def _content(padded: bytes) -> dict[str, Any]:
    data, _, _ = padded.rpartition(_END)
    content: dict[str, Any] = json.loads(data.decode("utf-8", "surrogatepass"))
    return content
