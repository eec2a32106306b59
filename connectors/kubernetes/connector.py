"""kubernetes: workloads of a cluster and their labels, as they are now.

From the API, of which no more than names and labels is asked, or from manifests that somebody exports.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import AfterValidator, Field, JsonValue, SecretStr, ValidationInfo, model_validator

from connectors.connector import Connector, Covered, Item, Note, Options, Problem, Quarantined
from connectors.http import Client, CursorPaging, HttpError, NotFound, bearer
from connectors.kubernetes.workloads import KINDS, Workload, identity, listed, workload
from connectors.parsing import Malformed, parsed
from connectors.patterns import is_wanted
from connectors.records import CapabilityState
from connectors.snapshot import Seen, changes, digest
from connectors.web_address import WebAddress

SCOPE = "workloads"
STREAM = "capability_state"

_PER_PAGE = 500
# Without the specifications, in which people keep secrets; an old server sends all of it.
_NAMES_ALONE = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io, application/json"


def _placed(entry: str, info: ValidationInfo) -> str:
    folder = (info.context or {}).get("folder") or Path()
    return os.path.join(folder, os.path.expanduser(entry))  # noqa: PTH118, PTH111 - it may be a glob


class KubernetesOptions(Options):
    """Settings of a `kubernetes` source. Either `url` or `manifests` must be given."""

    url: WebAddress | None = None
    """Address of the cluster's API. Its certificate has to be of an authority that this machine trusts."""
    token: SecretStr | None = None
    """Bearer token of a service account that may list deployments, statefulsets, daemonsets and cronjobs."""
    manifests: tuple[Annotated[str, AfterValidator(_placed)], ...] = ()
    """Instead of the API, files that `kubectl get -A -o yaml` or `-o json` writes, or globs of them. A
    relative path begins at the workspace file's folder."""
    namespaces: tuple[str, ...] = ("*", "!kube-*")
    """Patterns of namespaces; those that begin with `!` are left out."""
    labels: tuple[str, ...] = Field(min_length=1)
    """Patterns of labels that are evidence of a capability, as `acme.example/*`, or `acme.example/runtime=*`
    to keep the value too."""
    service_labels: tuple[str, ...] = ("backstage.io/kubernetes-id", "app.kubernetes.io/name")
    """Labels that name a workload's service: the first that it has."""

    @model_validator(mode="after")
    def _is_read_one_way(self) -> Self:
        if (self.url is None) == (not self.manifests):
            raise ValueError("give either `url` or `manifests`")
        return self


class KubernetesConnector(Connector):
    """Reads the labels of one cluster's workloads, whole.

    A list that was not read to its end says nothing.
    """

    kind = "kubernetes"
    streams = (STREAM,)
    options_type = KubernetesOptions
    options: KubernetesOptions

    def read(self, cursors: Mapping[str, JsonValue]) -> Iterator[Item]:
        """One scope: all states, where they are not as they were."""
        try:
            at, raw = self._listed()
        except HttpError as error:
            yield Problem(SCOPE, str(error), error.mend, error.is_transient)
            return
        except _Unreadable as error:
            yield Problem(SCOPE, str(error), "Export it again, to the end, or correct `manifests`")
            return
        found, failed = self._workloads(raw)
        states = [state for each in found for state in self._states(each)]
        yield from changes(SCOPE, cursors.get(SCOPE), [Seen(STREAM, [*dict.fromkeys(states)], failed)])
        yield Covered(SCOPE, at, digest([self.options.labels, self.options.namespaces]))

    def check(self) -> Iterator[Problem | Note]:
        """List everything once, and say of how many workloads the service is named."""
        try:
            _, raw = self._listed()
        except HttpError as error:
            yield Problem(SCOPE, str(error), error.mend, error.is_transient)
            return
        except _Unreadable as error:
            yield Problem(SCOPE, str(error), "Export it again, to the end, or correct `manifests`")
            return
        found, _ = self._workloads(raw)
        named = sum(each.service(self.options.service_labels) is not None for each in found)
        labelled = sum(any(self._states(each)) for each in found)
        yield Note(
            SCOPE,
            f"{len(found)} workloads: of {named} a label names the service, {labelled} have a wanted label",
        )

    def _states(self, one: Workload) -> Iterator[CapabilityState]:
        return one.states(self.options.service_labels, self.options.labels)

    def _workloads(self, raw: list[tuple[str, Any]]) -> tuple[list[Workload], list[Quarantined]]:
        found, failed = parsed(
            raw, lambda each: workload(*each), STREAM, SCOPE, lambda each: identity(each[1])
        )
        return [each for each in found if is_wanted(each.namespace, self.options.namespaces)], failed

    def _listed(self) -> tuple[datetime, list[tuple[str, Any]]]:
        """(as of when, kind and item of each workload); raises `HttpError` and `_Unreadable`."""
        if self.options.url is None:
            return _exported(self.options.manifests)
        began = datetime.now(UTC)
        auth = bearer(self.options.token) if self.options.token else None
        with Client(self.options.url, auth=auth, headers={"Accept": _NAMES_ALONE}) as client:
            return began, [(kind, item) for kind in KINDS for item in _of_kind(client, kind)]


class _Unreadable(Exception):
    """Manifests that are not all there; `str()` is one line."""


def _of_kind(client: Client, kind: str) -> list[Any]:
    """All workloads of a kind. A list that changes too much while it is paged is begun anew, once."""
    try:
        return _pages(client, kind)
    except NotFound as error:
        if error.status != 410:
            raise
    return _pages(client, kind)


def _pages(client: Client, kind: str) -> list[Any]:
    found: list[Any] = []
    paging = CursorPaging(_continue, "continue")
    for answer in client.pages(KINDS[kind], {"limit": _PER_PAGE}, stream=STREAM, paging=paging):
        body = answer.json()
        items = body.get("items") if isinstance(body, dict) else None
        if not isinstance(items, list):
            raise HttpError("The answer holds no items", "Check that the address is that of Kubernetes' API.")
        found += items
    return found


def _continue(body: Any) -> str | None:
    metadata = body.get("metadata") if isinstance(body, dict) else None
    said = metadata.get("continue") if isinstance(metadata, dict) else None
    return said if isinstance(said, str) else None


def _exported(entries: tuple[str, ...]) -> tuple[datetime, list[tuple[str, Any]]]:
    """What the files of all entries hold, as of when the oldest of them was written."""
    paths = [path for entry in entries for path in _found(entry, sorted(glob.glob(entry, recursive=True)))]  # noqa: PTH207
    found: list[tuple[str, Any]] = []
    written = datetime.now(UTC)
    for path in paths:
        try:
            text = path.read_text("utf-8")
            written = min(written, datetime.fromtimestamp(path.stat().st_mtime, UTC))
            documents = list(yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
            found += [each for document in documents for each in listed(document)]
        except OSError as error:
            raise _Unreadable(f"{path.name}: {error.strerror}") from None
        except Malformed as error:
            raise _Unreadable(f"{path.name}: {error}") from None
        except (yaml.YAMLError, ValueError, RecursionError):
            raise _Unreadable(f"{path.name}: is neither YAML nor JSON, or was cut off") from None
        if not documents:
            raise _Unreadable(f"{path.name}: holds no manifest")
    return written, found


def _found(entry: str, names: list[str]) -> list[Path]:
    paths = [path for path in map(Path, names) if not path.is_dir()]
    if not paths:
        raise _Unreadable(f"{Path(entry).name}: there is no such file")
    return paths
