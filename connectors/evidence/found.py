"""What a file says is used, and what is fit to be kept of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import yaml

_VERSION = re.compile(
    r"[~^>=<! ]*v?\d+(?:\.(?:\d+|[x*]))*(?:[-+.][0-9a-z][0-9a-z.-]{0,20})?"
    r"|[0-9a-f]{40}|[0-9a-f]{64}|sha256:[0-9a-f]{64}|latest|stable|~latest",
    re.IGNORECASE,
).fullmatch
_BRACKETS = re.compile(r"[\[\]{}]").finditer
_DEEPEST = 200
_SCP_LIKE = re.compile(r"(?:[^@/:]+@)?(?P<host>[^@/:]+):(?P<path>[^/].*)").fullmatch


class Found(NamedTuple):
    """One thing that a file says is used."""

    thing: str
    """As `CapabilityState.capability`."""
    version: str | None = None
    """As the file has it."""
    folders: tuple[str, ...] = ()
    """Folders that it is about, where the file says so; else the file's own place tells."""


class EvidenceFault(ValueError):
    """A file that cannot be understood; `str()` says why and quotes nothing of it."""


def version(text: str | None, masked: Callable[[str], str]) -> str | None:
    """A version, tag or commit as it is; else, as a branch may bear a person's name, `masked`."""
    if not text or "$" in text or "{" in text:
        return None
    name = text.strip().removeprefix("refs/tags/")
    if name != text.strip() or _VERSION(name):
        return name[:100]
    return masked(name.removeprefix("refs/heads/"))


def address(url: str) -> str:
    """Host and path of where something is kept: no scheme, account, query or suffix."""
    text = url.strip().removeprefix("git::")
    match = None if "://" in text else _SCP_LIKE(text)
    if match:
        text = f"ssh://{match['host']}/{match['path']}"
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise EvidenceFault("names an address that is none") from None
    return f"{host}{port}{parts.path.rstrip('/')}".replace(".git//", "//").removesuffix(".git")


def documents(text: str) -> list[Any]:
    """The documents of a YAML file; raises `EvidenceFault`."""
    depth = 0
    for bracket in _BRACKETS(text):
        depth = depth + 1 if bracket[0] in "[{" else max(0, depth - 1)
        if depth > _DEEPEST:
            # The parser takes the square of the depth.
            raise EvidenceFault("is nested too deeply")
    try:
        return list(yaml.load_all(text, _Loader))
    except (yaml.YAMLError, RecursionError, ValueError):
        raise EvidenceFault("is no YAML") from None


def mapping(value: object) -> dict[str, Any]:
    """`value` where it is one, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """`value` where it is a list, else one of it, or none of nothing."""
    return value if isinstance(value, list) else [] if value is None else [value]


# libyaml, where it is there, takes a tenth of the time.
class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML whose own tags, as GitLab's `!reference`, mean nothing to us."""


def _ignored(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> None:  # noqa: ARG001
    return None


_Loader.add_multi_constructor("!", _ignored)
