"""Labels and annotations: those of the keys that are wanted, and of their values no more than is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from connectors.evidence.found import Found
from connectors.patterns import is_wanted

_SECRET = re.compile(
    r"(?:secret|token|password|(?:integration|api|access|private)[-_.]?key)$", re.IGNORECASE
).search
_NO = {"false", "no", "off", "0", "none", "disabled"}
_VERSION = re.compile(r"v?\d{1,8}(?:\.\d{1,8}){0,3}(?:[-+][\w.]{1,20})?", re.ASCII).fullmatch


def read(kind: str, values: Mapping[str, object], patterns: Sequence[str]) -> Iterator[Found]:
    """Those that a pattern matches and that do not say no.

    A pattern with `=` matches key and value, and both are kept; with others the value is, where it has the
    shape of a version.
    """
    of_keys = [pattern for pattern in patterns if "=" not in pattern]
    of_values = [pattern for pattern in patterns if "=" in pattern]
    for key, value in values.items():
        text = str(value).strip()
        if _SECRET(key) or text.lower() in _NO:
            continue
        if is_wanted(key, of_keys):
            yield Found(f"{kind}:{key}", text if _VERSION(text) else None)
        if is_wanted(f"{key}={text}", of_values) and text.isprintable() and len(text) <= 100:
            yield Found(f"{kind}:{key}={text}")
