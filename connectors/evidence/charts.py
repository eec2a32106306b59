"""Charts and bases: what Helm, helmfile, Argo CD and kustomize take from elsewhere, where it is plain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from connectors.evidence.found import Found, address, documents, items, mapping


def of_helm(text: str) -> Iterator[Found]:
    """Dependencies of a `Chart.yaml`, or a `requirements.yaml`; raises `EvidenceFault`."""
    for chart in map(mapping, documents(text)):
        for each in map(mapping, items(chart.get("dependencies"))):
            yield from _chart(each.get("repository"), each.get("name"), each.get("version"))


def of_helmfile(text: str) -> Iterator[Found]:
    """Charts of a helmfile's releases; raises `EvidenceFault`, as it does where it is a template."""
    held = [mapping(each) for each in documents(text)]
    known = {
        each.get("name"): f"oci://{each.get('url')}" if each.get("oci") else each.get("url")
        for one in held
        for each in map(mapping, items(one.get("repositories")))
    }
    for release in (mapping(each) for one in held for each in items(one.get("releases"))):
        chart = release.get("chart")
        if not isinstance(chart, str) or chart.startswith((".", "/")):
            continue
        if "://" in chart:
            where, _, name = chart.rpartition("/")
        else:
            alias, _, name = chart.partition("/")
            where = known.get(alias) or alias
        yield from _chart(where, name, release.get("version"))


def of_argo(text: str) -> Iterator[Found]:
    """Charts that Argo CD's applications deploy; raises `EvidenceFault`."""
    for one in map(mapping, documents(text)):
        spec = mapping(one.get("spec"))
        if one.get("kind") == "ApplicationSet":
            spec = mapping(mapping(spec.get("template")).get("spec"))
        elif one.get("kind") != "Application":
            continue
        for source in map(mapping, [*items(spec.get("source")), *items(spec.get("sources"))]):
            yield from _chart(source.get("repoURL"), source.get("chart"), source.get("targetRevision"))


def of_kustomize(text: str) -> Iterator[Found]:
    """Bases, components and charts that a kustomization takes from elsewhere; raises `EvidenceFault`."""
    for one in map(mapping, documents(text)):
        for chart in map(mapping, items(one.get("helmCharts"))):
            yield from _chart(chart.get("repo"), chart.get("name"), chart.get("version"))
        for key in ("resources", "bases", "components"):
            for each in items(one.get(key)):
                if isinstance(each, str) and _is_elsewhere(each):
                    where, _, query = each.partition("?")
                    asked = parse_qs(query)
                    ref = next(iter(asked.get("ref") or asked.get("version") or []), None)
                    yield Found(f"kustomize:{address(where)}", ref)


def chart(text: str) -> Found:
    """A chart as a person names it: `https://charts.acme.example/web-service`, with `:1.2.3` or without."""
    name, colon, version = text.rpartition(":")
    if not colon or "/" in version:
        name, version = text, ""
    return Found(f"chart:{address(name) if '/' in name else name}", version or None)


def _chart(where: Any, name: Any, version: Any) -> Iterator[Found]:
    if not isinstance(name, str) or not name or "{{" in f"{where}{name}":
        return
    if isinstance(where, str) and where.startswith(("file:", "@", "alias:")):
        return
    held = address(where) if isinstance(where, str) and where else ""
    yield Found(f"chart:{held}/{name}".replace(":/", ":"), None if version is None else str(version))


def _is_elsewhere(base: str) -> bool:
    start = base.split("/", 1)[0]
    is_host = "." in start.strip(".") and not start.startswith(".") and not base.endswith((".yaml", ".yml"))
    return "://" in base or base.startswith(("git@", "git::")) or (is_host and "/" in base)
