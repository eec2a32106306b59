"""Addresses of tools in the workspace file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, ValidationInfo


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole:
        raise ValueError("write the address as https://host/path")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("an address has no user, password, query or fragment")
    return url.strip().rstrip("/")


def _mirrors(entry: str, info: ValidationInfo) -> str:
    if "://" not in entry:
        folder = (info.context or {}).get("folder") or Path()
        return Path(folder, Path(entry).expanduser()).absolute().as_uri()
    return entry.rstrip("/") if entry.startswith("file://") else _checked(entry)


WebAddress = Annotated[str, AfterValidator(_checked)]
"""An http(s) URL, with a path or without, that ends in no slash."""

MirrorAddress = Annotated[str, AfterValidator(_mirrors)]
"""Where repositories are cloned from: an http(s) or file URL, or a folder, whose URL it becomes."""
