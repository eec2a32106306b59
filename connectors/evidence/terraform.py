"""Terraform: the modules of others that a configuration calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from connectors.evidence.found import EvidenceFault, Found, address

_BLOCK = re.compile(r'^module[ \t]+"[^"\n]*"[ \t]*\{.*?^\}', re.MULTILINE | re.DOTALL)
_CALL = re.compile(r'^[ \t]*module[ \t]+"', re.MULTILINE)
_REGISTRY = re.compile(r"(?:[\w.-]+\.[\w.-]+/)?[\w-]+/[\w-]+/[\w-]+(?://\S+)?").fullmatch


def read(text: str) -> Iterator[Found]:
    """Modules with their versions, but those of the repository itself; raises `EvidenceFault`."""
    if not _CALL.search(text):
        return
    # The blocks alone, as they stand where a file is formatted: the parser takes a millisecond a line.
    blocks = "\n".join(_BLOCK.findall(text))
    is_formatted = len(_CALL.findall(blocks)) == len(_CALL.findall(text))
    for held in _parsed(blocks if is_formatted else text).get("module", []):
        for body in held.values():
            source, version = (_text(body.get(key)) for key in ("source", "version"))
            if source and not source.startswith((".", "/")) and "${" not in source:
                found = module(source)
                yield found if found.version else found._replace(version=version)


def module(source: str) -> Found:
    """What stands after `source =`: the module without `ref`, and the `ref`."""
    where, _, query = source.strip().partition("?")
    if not _REGISTRY(where):
        where = address(where)
    return Found(f"module:{where}", next(iter(parse_qs(query).get("ref", [])), None))


def _parsed(text: str) -> dict[str, Any]:
    import hcl2  # Builds its grammar, which takes longer than most files.

    try:
        return dict(hcl2.loads(f"{text}\n"))
    except Exception:  # noqa: BLE001 - of the parser's own kinds, and of those of the one it is made with
        raise EvidenceFault("is no Terraform") from None


def _text(value: object) -> str | None:
    text = value.strip() if isinstance(value, str) else ""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text or None
