"""CI configuration: what GitHub's workflow files and GitLab's includes take from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from connectors.evidence.found import Found, documents, items, mapping

_WORKFLOW = re.compile(r"[^/]+/[^/]+/\.(?:github|gitea|forgejo)/workflows/.+").fullmatch
_HOSTS = ("$CI_SERVER_FQDN", "$CI_SERVER_HOST")


def of_github(text: str) -> Iterator[Found]:
    """Actions, images and reusable workflows of a workflow file; raises `EvidenceFault`."""
    for workflow in map(mapping, documents(text)):
        folders = _folders(workflow)
        for job in mapping(workflow.get("jobs")).values():
            for step in [job, *items(mapping(job).get("steps"))]:
                use = mapping(step).get("uses")
                if isinstance(use, str) and not use.startswith(("./", "$")):
                    yield used(use)._replace(folders=folders)


def used(use: str) -> Found:
    """What stands after `uses:`."""
    what, _, version = use.strip().partition("@")
    if what.startswith("docker://"):
        # The colon may also be that of the registry's port.
        image, _, tag = what.rpartition(":")
        if not version and "/" not in tag:
            what, version = image, tag
    return Found(f"workflow:{what}" if _WORKFLOW(what) else f"action:{what}", version or None)


def of_gitlab(text: str) -> Iterator[Found]:
    """Files, components and templates that a CI configuration includes; raises `EvidenceFault`."""
    # A component's has a header of its own, a document before the configuration.
    for configuration in map(mapping, documents(text)):
        for each in items(configuration.get("include")):
            yield from included(mapping(each))


def included(each: dict[str, Any]) -> Iterator[Found]:
    """What one entry of `include` is."""
    component, project, template = (each.get(key) for key in ("component", "project", "template"))
    if isinstance(component, str):
        what, _, version = component.partition("@")
        host, _, path = what.partition("/")
        if path and (host in _HOSTS or "$" not in host):
            yield Found(f"component:{path}", version or None)
    elif isinstance(project, str) and "$" not in project:
        ref = each.get("ref")
        for file in items(each.get("file")):
            yield Found(f"include:{project}/{str(file).lstrip('/')}", str(ref) if ref is not None else None)
    elif isinstance(template, str):
        yield Found(f"gitlab-template:{template}")


def _folders(workflow: dict[Any, Any]) -> tuple[str, ...]:
    """Folders that a workflow runs for alone: what its `paths` begin with."""
    # YAML 1.1 takes the word `on` for true.
    triggers = mapping(workflow.get("on", workflow.get(True)))
    paths = [str(path) for trigger in triggers.values() for path in items(mapping(trigger).get("paths"))]
    wanted = [path for path in paths if not path.startswith(("!", ".github/"))]
    folders = {re.split(r"[*?\[]", path, maxsplit=1)[0].rpartition("/")[0] for path in wanted}
    return () if "" in folders else tuple(sorted(folders))
