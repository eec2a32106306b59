"""Recorded answers of real servers: the few in `tests/data/recorded`, and all of them where they are.

The rest is looked for in `CAIRN_SHARED`, by default `../shared` beside the repository.
"""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

_ROOT = Path(__file__).parent.parent
_SHARED = Path(os.environ.get("CAIRN_SHARED") or _ROOT.parent / "shared")

BOTH = pytest.mark.parametrize(
    "recordings", [_ROOT / "tests" / "data" / "recorded", _SHARED / "recorded"], ids=["few", "all"]
)
"""Runs a test with either folder as `recordings`."""


class Recorded(NamedTuple):
    """One item of a recorded answer."""

    path: str
    """Of the request, still percent-encoded."""
    input: dict[str, Any]
    """What the request was about, in its recorder's words."""
    item: Any


def recorded(recordings: Path, tool: str, prefix: str) -> list[Recorded]:
    """The items of the files that begin with `prefix`; skips the test where there are none."""
    files = sorted((recordings / tool).glob(f"{prefix}.jsonl*"))
    if not files:
        pytest.skip(f"no recordings of {tool} in {recordings}")
    lines = [
        line
        for file in files
        for line in (
            gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        ).splitlines()
    ]
    rows = [json.loads(line) for line in lines]
    return [Recorded(urlsplit(row["url"]).path, row["input"] or {}, row["item"]) for row in rows]
