"""What a line of a file or a name in a tool is called among the evidence."""

from __future__ import annotations

import re

from connectors.evidence import charts, dockerfiles, terraform, workflows
from connectors.evidence.found import EvidenceFault, address

_LEAD = re.compile(
    r"(?:-\s*)?(?:FROM|uses:|component:|source\s*=|chart:)\s+(?:--\S+\s+)*", re.IGNORECASE
).match
_STAGE = re.compile(r"\s+AS\s+\S+$", re.IGNORECASE)


def example(kind: str, text: str) -> str:
    """The thing that `text` is, as `CapabilityState.capability`, taken for one of `kind`.

    With or without what a file has before it: `FROM python:3.12 AS build` is `image:python`. Raises
    `EvidenceFault`.
    """
    lead = _LEAD(text)
    bare = _STAGE.sub("", text[lead.end() if lead else 0 :]).strip("\"' ")
    if kind in {"workflow", "action"}:
        return workflows.used(bare).thing
    if kind == "component":
        return next((each.thing for each in workflows.included({"component": bare})), f"component:{bare}")
    if kind == "image":
        return dockerfiles.built_from(bare).thing
    if kind == "chart":
        return charts.chart(bare).thing
    if kind == "module":
        return terraform.module(bare).thing
    if kind == "kustomize":
        return f"kustomize:{address(bare.partition('?')[0])}"
    if kind in {"annotation", "label"}:
        key, sign, value = bare.partition(": " if ": " in bare else "=")
        return f"{kind}:{key.strip()}" + (f"={value.strip()}" if sign else "")
    if not bare:
        raise EvidenceFault("is empty")
    return f"{kind}:{bare.removeprefix(f'{kind}:')}"
