"""Evidence of capabilities: the actions and workflows of others that a repository's workflows use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

import yaml

from connectors.connector import Context, Item, Quarantined
from connectors.github import queries as github_queries
from connectors.github.api import GitHub, Listed, Progress, refuse
from connectors.parsing import moment
from connectors.records import CapabilityUse, PipelineRun

STREAM = "capability_use"

_LONGEST_FILE = 1_000_000
"""Characters."""
_WORKFLOW = re.compile(r"[^/]+/[^/]+/\.github/workflows/.+").fullmatch
_VERSION = re.compile(r"v?\d+(\.\d+)*([-+.][0-9a-z.]{1,12})?|[0-9a-f]{40}|sha256:[0-9a-f]{64}").fullmatch


def read(github: GitHub, repository: Listed, progress: Progress) -> Iterator[Item]:
    """Yield what the workflow files at HEAD use, and what they no longer do; raises `HttpError`."""
    found, errors = github.repository(github_queries.WORKFLOWS, repository, STREAM)
    refuse(errors)
    tree = found.get("object")
    used: dict[str, str] = {}
    for entry in (tree.get("entries") or []) if isinstance(tree, dict) else []:
        blob = entry.get("object")
        text = blob.get("text") if isinstance(blob, dict) else None
        if text is None or not str(entry["name"]).endswith((".yml", ".yaml")):
            continue
        try:
            uses = list(_uses(text))
        except (yaml.YAMLError, RecursionError, ValueError):
            yield Quarantined(STREAM, repository.id, str(entry["oid"]), "the workflow file is no YAML")
            continue
        for what, version in uses:
            if not _is_own(what, repository):
                used.setdefault(f"{entry['name']}:{what}", version)
    known = progress.part(STREAM).get("uses")
    gone = [str(use) for use in known if use not in used] if isinstance(known, list) else []
    seen_at = moment(repository.pushed_at or repository.created_at)
    records = [_present(github.context, repository, use, version, seen_at) for use, version in used.items()]
    records += [
        _present(github.context, repository, use, "", seen_at)._replace(kind="absent", url=None)
        for use in gone
    ]
    yield from progress.batches(
        (STREAM, records), capability_use={"mark": repository.marks[STREAM], "uses": [*used]}
    )


def of_run(
    context: Context, repository: Listed, run: PipelineRun, workflows: object
) -> Iterator[CapabilityUse]:
    """The reusable workflows of other repositories that an attempt of a run called."""
    for each in workflows if isinstance(workflows, list) else []:
        if not isinstance(each, dict) or not isinstance(each.get("path"), str):
            continue
        what, _, version = each["path"].partition("@")
        if not _is_own(what, repository):
            yield CapabilityUse(
                id=f"run:{run.id}:{run.attempt}:{what}",
                capability=f"workflow:{what}",
                subject_kind="repository",
                subject=repository.id,
                happened_at=_happened_at(run),
                kind="used",
                result=run.result,
                finished_at=run.finished_at,
                version=_masked(context, str(each.get("ref") or version)),
                url=run.url,
            )


def _happened_at(run: PipelineRun) -> datetime:
    at = run.started_at or run.queued_at
    assert at is not None, "every run was queued"
    return at


def _uses(text: str) -> Iterator[tuple[str, str]]:
    """(what, version) of all that a workflow file takes from elsewhere; raises `YAMLError`."""
    if len(text) > _LONGEST_FILE:
        raise ValueError("too long for a workflow file")
    workflow = yaml.safe_load(text)
    jobs = workflow.get("jobs") if isinstance(workflow, dict) else None
    for job in jobs.values() if isinstance(jobs, dict) else ():
        steps = job.get("steps") if isinstance(job, dict) else None
        for step in [job, *(steps if isinstance(steps, list) else ())]:
            use = step.get("uses") if isinstance(step, dict) else None
            if not isinstance(use, str) or use.startswith("./"):
                continue
            what, _, version = use.partition("@")
            if what.startswith("docker://") and not version:
                # The colon may also be that of the registry's port.
                image, _, tag = what.rpartition(":")
                what, version = (what, "") if "/" in tag else (image, tag)
            yield what, version


def _is_own(what: str, repository: Listed) -> bool:
    return what.casefold().startswith(f"{repository.full_name}/".casefold())


def _present(
    context: Context, repository: Listed, use: str, version: str, seen_at: datetime
) -> CapabilityUse:
    file, _, what = use.partition(":")
    return CapabilityUse(
        id=f"{repository.id}:{use}",
        capability=f"workflow:{what}" if _WORKFLOW(what) else f"action:{what}",
        subject_kind="repository",
        subject=repository.id,
        happened_at=seen_at,
        kind="present",
        result=None,
        finished_at=None,
        version=_masked(context, version),
        url=f"{repository.url}/blob/HEAD/.github/workflows/{file}",
    )


def _masked(context: Context, version: str) -> str | None:
    """A tag or commit as it is; a branch, which may bear a person's name, masked."""
    name = version.removeprefix("refs/tags/")
    if not name or name != version or _VERSION(name):
        return name or None
    return context.branch(name.removeprefix("refs/heads/"))
