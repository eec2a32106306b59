"""Workloads: which there are in an API's answer or a manifest, of which service, with what labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from connectors.evidence import labels
from connectors.parsing import Malformed
from connectors.records import CapabilityState

KINDS = {
    "Deployment": "/apis/apps/v1/deployments",
    "StatefulSet": "/apis/apps/v1/statefulsets",
    "DaemonSet": "/apis/apps/v1/daemonsets",
    "CronJob": "/apis/batch/v1/cronjobs",
}
"""Kind of workload → where the API lists those of all namespaces."""


class Workload(NamedTuple):
    """A workload's name and labels: no more of it is looked at."""

    kind: str
    namespace: str
    name: str
    labels: dict[str, str]

    def service(self, keys: Sequence[str]) -> str | None:
        """What the first of the labels that it has calls its service."""
        return next((value for key in keys if (value := self.labels.get(key))), None)

    def states(self, keys: Sequence[str], wanted: Sequence[str]) -> Iterator[CapabilityState]:
        """What the wanted labels say of capabilities."""
        # Where no label names the service, nobody will know it by this, and it counts as unmatched.
        subject = self.service(keys) or f"{self.namespace}/{self.name}"
        place = f"{self.kind}/{self.namespace}/{self.name}"
        for found in labels.read("label", self.labels, wanted):
            yield CapabilityState(found.thing, "service", subject, place, found.version, (), None)


def workload(kind: str, raw: Any) -> Workload:
    """Of an item of a list; raises `Malformed`."""
    metadata = raw.get("metadata") if isinstance(raw, dict) else None
    if not isinstance(metadata, dict):
        raise Malformed("is no object with metadata")
    name, held = metadata.get("name"), metadata.get("labels")
    if not isinstance(name, str) or not name:
        raise Malformed("metadata.name is no name")
    if not isinstance(held, dict | None):
        raise Malformed("metadata.labels is no object")
    texts = {str(key): str(value) for key, value in (held or {}).items() if isinstance(value, str)}
    return Workload(kind, str(metadata.get("namespace") or "default"), name, texts)


def identity(raw: Any) -> str:
    """What names an item in messages."""
    return f"{raw['metadata'].get('namespace', 'default')}/{raw['metadata']['name']}"


def listed(document: Any) -> Iterator[tuple[str, Any]]:
    """Kind and item of each workload in a document of a manifest: itself, or those of a list.

    Raises `Malformed` for what is neither, as is a list that was cut off.
    """
    if document is None:
        return
    kind = document.get("kind") if isinstance(document, dict) else None
    if not isinstance(kind, str):
        raise Malformed("holds a document without a kind: it is no manifest, or was cut off")
    if not kind.endswith("List"):
        if kind in KINDS:
            yield kind, document
        return
    items = document.get("items")
    if not isinstance(items, list):
        raise Malformed("holds a list without items")
    for item in items:
        # The items of a list of one kind need not say it.
        said = item.get("kind") if isinstance(item, dict) else None
        of = said if isinstance(said, str) else kind.removesuffix("List")
        if of in KINDS:
            yield of, item
