"""Kubernetes as a source: labels of workloads, by its API and from exported manifests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr, ValidationError

from connectors.connector import Batch, Connector, Context, Covered, Item, Note, Problem, Quarantined
from connectors.kubernetes import KubernetesConnector, KubernetesOptions
from connectors.records import CapabilityState
from tests.connectors.contract import ConnectorContract, Loaded, Tool
from tests.connectors.kubernetes_host import RUNTIME, TOKEN, Cluster, item
from tests.serving import Received, serving

LABELS = ("acme.example/*",)


@pytest.fixture
def cluster() -> Cluster:
    runtime = {RUNTIME.replace("/", "__"): "2.1"}
    deployments = [item(f"s{number}", **runtime) for number in range(3)]
    return Cluster({"deployments": deployments, "cronjobs": [item("nightly", **runtime)]})


@pytest.fixture
def received() -> list[Received]:
    return []


@pytest.fixture
def url(cluster: Cluster, received: list[Received]) -> Iterator[str]:
    with serving(cluster.app(), received) as url:
        yield url


def connector(url: str | None, **options: Any) -> KubernetesConnector:
    given = {"url": url, "token": SecretStr(TOKEN) if url else None, "labels": LABELS, **options}
    return KubernetesConnector("k8s", KubernetesOptions(**given), Context(Path("unused"), b"key"))


def states(items: list[Item]) -> set[tuple[str, str, str, str | None]]:
    return {
        (each.subject, each.place, each.capability, each.version)
        for each in Loaded(items).records.values()
        if isinstance(each, CapabilityState)
    }


class KubernetesTool(Tool):
    secret = TOKEN

    def __init__(self, cluster: Cluster, url: str) -> None:
        self.cluster = cluster
        self.url = url

    def connector(self, cache: Path) -> Connector:  # noqa: ARG002 - it keeps nothing
        return connector(self.url)

    def grow(self) -> None:
        del self.cluster.items["deployments"][0]
        del self.cluster.items["deployments"][0]
        self.cluster.items["daemonsets"] = [item("agent", acme__example="x", **{"acme.example__new": "yes"})]

    def spoil(self) -> str:
        broken = item("broken")
        broken["metadata"]["labels"] = "none"
        self.cluster.items["statefulsets"] = [broken]
        return "shop/broken"

    def refuse(self) -> None:
        self.cluster.token = "another"


class TestContract(ConnectorContract):
    @pytest.fixture
    def tool(self, cluster: Cluster, url: str) -> Tool:
        return KubernetesTool(cluster, url)


def test_workloads_of_all_kinds_and_pages(url: str, received: list[Received]) -> None:
    items = list(connector(url).read({}))
    assert states(items) == {
        *((f"s{n}", f"Deployment/shop/s{n}", f"label:{RUNTIME}", "2.1") for n in range(3)),
        ("nightly", "CronJob/shop/nightly", f"label:{RUNTIME}", "2.1"),
    }
    assert [(request.path, dict(request.query)) for request in received] == [
        ("/apis/apps/v1/deployments", {"limit": "500"}),
        ("/apis/apps/v1/deployments", {"limit": "500", "continue": "2"}),
        ("/apis/apps/v1/statefulsets", {"limit": "500"}),
        ("/apis/apps/v1/daemonsets", {"limit": "500"}),
        ("/apis/batch/v1/cronjobs", {"limit": "500"}),
    ]
    assert "pw-in-spec" not in repr(items)


def test_a_list_that_expired_is_begun_anew(cluster: Cluster, url: str) -> None:
    cluster.expires = 1
    assert len(states(list(connector(url).read({})))) == 4
    cluster.expires = 2
    (problem,) = connector(url).read({})
    assert isinstance(problem, Problem)


def test_a_kind_that_may_not_be_listed_makes_no_snapshot(cluster: Cluster, url: str) -> None:
    cluster.forbidden = {"cronjobs"}
    (problem,) = connector(url).read({})
    assert isinstance(problem, Problem)
    assert "cronjobs is forbidden" in problem.message


def test_which_service_a_workload_is_and_which_are_left_out(cluster: Cluster, url: str) -> None:
    nameless = item("bare", **{"acme.example__x": "1"})
    del nameless["metadata"]["labels"]["app.kubernetes.io/name"]
    catalogued = item("web", **{"backstage.io__kubernetes-id": "shop-web", "acme.example__x": "1"})
    system = item("dns", "kube-system", **{"acme.example__x": "1"})
    off = item("off", **{"acme.example__x": "false", "acme.example__api-token": "abc"})
    cluster.items = {"deployments": [nameless, catalogued, system, off]}
    found = states(list(connector(url).read({})))
    assert {subject for subject, *_ in found} == {"shop/bare", "shop-web"}
    own = states(list(connector(url, service_labels=["acme.example/x"]).read({})))
    assert {subject for subject, *_ in own} == {"1"}
    (note,) = connector(url).check()
    assert isinstance(note, Note)
    assert note.message == "3 workloads: of 2 a label names the service, 2 have a wanted label"


def exported(folder: Path, name: str, text: str) -> KubernetesConnector:
    (folder / name).write_text(text)
    return connector(None, manifests=[str(folder / "*")])


WEB = {"kind": "Deployment", **item("web", **{"acme.example__runtime": "v3"})}
JOB = {"kind": "CronJob", **item("job", **{"acme.example__runtime": "v3"})}
OTHER = {"kind": "Secret", **item("other", **{"acme.example__runtime": "v3"})}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [WEB, JOB, OTHER]})),
        ("a.json", json.dumps({"kind": "List", "items": [WEB, JOB]}, indent=1)),
        ("a.yaml", yaml.safe_dump_all([WEB, JOB, None, OTHER])),
    ],
)
def test_manifests_in_every_shape(tmp_path: Path, name: str, text: str) -> None:
    source = exported(tmp_path, name, text)
    items = list(source.read({}))
    assert {subject for subject, *_ in states(items)} == {"web", "job"}
    (covered,) = [each for each in items if isinstance(each, Covered)]
    assert covered.at == datetime.fromtimestamp((tmp_path / name).stat().st_mtime, UTC), "as of the export"
    cursors = Loaded(items).cursors
    assert not [each for each in source.read(cursors) if isinstance(each, Batch)]


def test_a_list_of_one_kind_need_not_say_it_of_each(tmp_path: Path) -> None:
    listing = {"kind": "DeploymentList", "items": [{key: WEB[key] for key in ("metadata", "spec")}]}
    assert len(states(list(exported(tmp_path, "a.json", json.dumps(listing)).read({})))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: [",
        json.dumps({"kind": "List", "items": [WEB]})[:-10],
        "apiVersion: v1\nitems:\n- kind: Deployment\n  metadata: {name: web}\n",
        "kind: List\n",
        "- a list\n",
        "\udcff",
    ],
)
def test_what_is_not_all_there_takes_nothing_away(tmp_path: Path, text: str) -> None:
    (tmp_path / "b.yaml").write_bytes(text.encode("utf-8", "surrogateescape"))
    (problem,) = exported(tmp_path, "a.yaml", yaml.safe_dump(WEB)).read({})
    assert isinstance(problem, Problem)
    assert problem.message.startswith("b.yaml: ")


def test_a_malformed_workload_is_quarantined(tmp_path: Path) -> None:
    listing = {
        "kind": "List",
        "items": [WEB, {"kind": "Deployment", "metadata": {"labels": {}}}, {"kind": "Deployment"}],
    }
    items = list(exported(tmp_path, "a.json", json.dumps(listing)).read({}))
    assert len([each for each in items if isinstance(each, Quarantined)]) == 2
    assert len(states(items)) == 1


def test_files_that_are_not_there_are_a_problem() -> None:
    (problem,) = connector(None, manifests=["/nowhere/*.yaml"]).read({})
    assert isinstance(problem, Problem)


@pytest.mark.parametrize(
    "options", [{}, {"url": "http://x", "manifests": ["a"]}, {"url": "http://x", "labels": []}]
)
def test_settings_that_say_too_little_or_too_much(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        KubernetesOptions(**{"labels": LABELS, **options})
