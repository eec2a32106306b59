"""Patterns that pick names, as in `["*", "!sandbox-*"]`."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase


def is_wanted(name: str, patterns: Sequence[str]) -> bool:
    """Whether `name` matches one of `patterns` and none of those that begin with `!`, whatever the case.

    Where all of them begin with `!`, everything else is wanted; where there are none, nothing is.
    """
    name = name.casefold()
    unwanted = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")] or (["*"] if unwanted else [])
    return _matches(name, wanted) and not _matches(name, unwanted)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern.casefold()) for pattern in patterns)
