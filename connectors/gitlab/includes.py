"""Evidence of capabilities: what of others a project's CI configuration includes."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

import yaml

from connectors.connector import Context, Item, Quarantined
from connectors.gitlab.api import GitLab, Progress, Project
from connectors.http import NotFound
from connectors.parsing import moment
from connectors.records import CapabilityUse
from connectors.snapshot import fields

STREAM = "capability_use"

_LONGEST_FILE = 1_000_000
"""Characters."""
_HOSTS = ("$CI_SERVER_FQDN", "$CI_SERVER_HOST")


def read(gitlab: GitLab, project: Project, progress: Progress) -> Iterator[Item]:
    """Yield what the configuration at the default branch's tip includes, and what it no longer does.

    Raises `HttpError`.
    """
    tip, before = fields(progress.state.get("tip")), fields(progress.state.get("includes"))
    sha, at = tip.get("sha"), tip.get("at")
    if not isinstance(sha, str) or not isinstance(at, str) or sha == before.get("sha"):
        return
    known = list(map(str, _list(before.get("uses"))))
    try:
        used = dict(_uses(_text(gitlab, project, sha)))
    except (yaml.YAMLError, RecursionError, ValueError):
        yield Quarantined(STREAM, project.id, sha, "the CI configuration is no YAML")
        progress.move(includes={"sha": sha, "uses": [*known]})
        return
    seen_at = moment(at)
    records = [_use(gitlab.context, project, use, version, seen_at) for use, version in used.items()]
    records += [
        _use(gitlab.context, project, use, None, seen_at)._replace(kind="absent", url=None)
        for use in known
        if use not in used
    ]
    progress.move(includes={"sha": sha, "uses": [*used]})
    if records:
        yield progress.batch(STREAM, records)


def _text(gitlab: GitLab, project: Project, sha: str) -> str:
    """The configuration; empty where there is none, or it is kept in another project."""
    if project.ci_path.startswith(("http:", "https:")) or "@" in project.ci_path:
        return ""
    path = f"/projects/{project.id}/repository/files/{quote(project.ci_path, safe='')}"
    try:
        body = gitlab.get(path, STREAM, {"ref": sha})
    except NotFound:
        return ""
    return base64.b64decode(str(body["content"])).decode("utf-8", "replace")


def _ignored(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> None:  # noqa: ARG001
    return None


class _Loader(yaml.SafeLoader):
    """YAML with GitLab's own tags, as in `!reference [.setup, script]`, which mean nothing to us."""

    yaml_multi_constructors = {**yaml.SafeLoader.yaml_multi_constructors, "!": _ignored}  # noqa: RUF012


def _uses(text: str) -> Iterator[tuple[str, str | None]]:
    """(what, version) of all that a configuration takes from elsewhere; raises `YAMLError`."""
    if len(text) > _LONGEST_FILE:
        raise ValueError("too long for a CI configuration")
    configuration = yaml.load(text, _Loader)
    included = configuration.get("include") if isinstance(configuration, dict) else None
    for each in included if isinstance(included, list) else [included]:
        if not isinstance(each, dict):
            continue
        component, project, template = (each.get(key) for key in ("component", "project", "template"))
        if isinstance(component, str):
            what, _, version = component.partition("@")
            host, _, path = what.partition("/")
            if path and (host in _HOSTS or "$" not in host):
                yield f"component:{path}", version or None
        elif isinstance(project, str) and "$" not in project:
            ref = each.get("ref")
            files = each.get("file")
            for file in files if isinstance(files, list) else [files]:
                yield f"include:{project}/{str(file).lstrip('/')}", str(ref) if ref is not None else None
        elif isinstance(template, str):
            yield f"gitlab-template:{template}", None


def _use(context: Context, project: Project, use: str, version: str | None, at: datetime) -> CapabilityUse:
    return CapabilityUse(
        id=f"{project.id}:{use}",
        capability=use,
        subject_kind="repository",
        subject=project.id,
        happened_at=at,
        kind="present",
        result=None,
        finished_at=None,
        version=None if version is None else _masked(context, version),
        url=f"{project.url}/-/blob/HEAD/{quote(project.ci_path)}",
    )


def _masked(context: Context, version: str) -> str:
    """A version or commit as it is; a branch, which may bear a person's name, masked."""
    is_sha = len(version) in {40, 64} and set(version) <= set("0123456789abcdef")
    is_version = version.startswith("~") or version.lstrip("v")[:1].isdigit()
    return version if is_sha or is_version else context.branch(version)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
