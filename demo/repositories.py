"""The organisation's git repositories on disk, bare, as clones can be made of them.

Objects go into one pack for each repository: `git fast-import` would make the same ones, but takes
trees only as changes of files, and would need each of them to be found out anew.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import subprocess
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from demo.history import History

_MARKER = "complete"
_PACK_TYPES = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
_CONFIG = """\
[core]
\trepositoryformatversion = 0
\tbare = true
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
"""


def write(histories: Mapping[str, History], folder: Path) -> bool:
    """Make `folder` hold a repository `NAME.git` for each history; False where it did already.

    A folder that a killed process left, or that holds other histories, is made anew.
    Raises `OSError`, or `CalledProcessError` where git refuses a pack.
    """
    marker, fingerprint = folder / _MARKER, _fingerprint(histories)
    if marker.exists() and marker.read_text() == fingerprint:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda name: _write(histories[name], folder / f"{name}.git"), histories))
    temporary = marker.with_suffix(".new")
    temporary.write_text(fingerprint)
    temporary.replace(marker)
    return True


def _fingerprint(histories: Mapping[str, History]) -> str:
    """Of every reference, and so of every object that can be reached."""
    digest = hashlib.sha256()
    for name in sorted(histories):
        digest.update(
            f"{name} {histories[name].default_branch} {sorted(histories[name].refs.items())}\n".encode()
        )
    return digest.hexdigest()


def _write(history: History, path: Path) -> None:
    (path / "objects" / "pack").mkdir(parents=True)
    (path / "refs").mkdir()
    (path / "config").write_text(_CONFIG)
    (path / "HEAD").write_text(f"ref: refs/heads/{history.default_branch}\n")
    if not history.objects:
        return
    content, name = _pack(history)
    pack = path / "objects" / "pack" / f"pack-{name}.pack"
    pack.write_bytes(content)
    subprocess.run(
        ["git", "index-pack", str(pack)], check=True, capture_output=True, stdin=subprocess.DEVNULL
    )
    refs = "".join(f"{id_} {ref}\n" for ref, id_ in sorted(history.refs.items()))
    (path / "packed-refs").write_text(f"# pack-refs with: sorted\n{refs}")


def _pack(history: History) -> tuple[bytes, str]:
    """All objects as git packs them, none as a difference to another; and the pack's name."""
    parts = [struct.pack(">4sII", b"PACK", 2, len(history.objects))]
    for kind, content in history.objects.values():
        parts += (_head(_PACK_TYPES[kind], len(content)), zlib.compress(content, 1))
    body = b"".join(parts)
    digest = hashlib.sha1(body, usedforsecurity=False)
    return body + digest.digest(), digest.hexdigest()


def _head(kind: int, size: int) -> bytes:
    """Type and size: four bits of the size beside the type, then seven in each byte, lowest first."""
    head = bytearray()
    byte, size = kind << 4 | size & 15, size >> 4
    while size:
        head.append(byte | 128)
        byte, size = size & 127, size >> 7
    head.append(byte)
    return bytes(head)
