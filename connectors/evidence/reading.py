"""Which files of a repository are evidence, and what each says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from connectors.evidence import charts, dockerfiles, terraform, workflows
from connectors.evidence.found import EvidenceFault, Found, version

VERSION = 1
"""Of what is read of a repository: one more, and what is found then may have been there all along."""

_LONGEST_FILE = 1_000_000
"""Characters."""

GITLAB_FILE = ".gitlab-ci.yml"

_READERS: tuple[tuple[re.Pattern[str], Callable[[str], Iterator[Found]]], ...] = tuple(
    (re.compile(pattern), read)
    for pattern, read in (
        (r"\.(?:github|gitea|forgejo)/workflows/[^/]+\.ya?ml", workflows.of_github),
        (
            r"(?:.+/)?(?:(?:Docker|Container)file(?:\.[^/]+)?|[^/]+\.[dD]ockerfile)",
            dockerfiles.read,
        ),
        (r"(?:.+/)?(?:Chart|requirements)\.ya?ml", charts.of_helm),
        (r"(?:.+/)?helmfile(?:\.d/[^/]+)?\.ya?ml", charts.of_helmfile),
        (r"(?:.+/)?kustomization\.ya?ml", charts.of_kustomize),
        (r"(?:.+/)?(?:argo-?cd|applications?|applicationsets?)(?:/[^/]+)*\.ya?ml", charts.of_argo),
        (r"(?:.+/)?[^/]+\.tf", terraform.read),
    )
)
_ELSEWHERE = re.compile(
    r"(?:^|/)(?:node_modules|vendor|third_party|testdata|fixtures|\.terraform|\.dockerignore)(?:/|$)|\.dockerignore$"
).search


def is_evidence(path: str, gitlab_file: str = GITLAB_FILE) -> bool:
    """Whether the file at `path`, from the repository's top, may say what is used."""
    return _reader(path, gitlab_file) is not None and not _ELSEWHERE(path)


def read(path: str, text: str, masked: Callable[[str], str], gitlab_file: str = GITLAB_FILE) -> list[Found]:
    """What the file says is used, each once; versions that may be names of people `masked`.

    Raises `EvidenceFault`.
    """
    if len(text) > _LONGEST_FILE:
        raise EvidenceFault("is too long for such a file")
    reader = _reader(path, gitlab_file)
    assert reader, path
    try:
        found = [each._replace(version=version(each.version, masked)) for each in reader(text)]
    except EvidenceFault:
        raise
    except (TypeError, ValueError, AttributeError, RecursionError):
        raise EvidenceFault("has another shape than such files have") from None
    return [*dict.fromkeys(each for each in found if len(each.thing) <= 500 and each.thing.isprintable())]


def _reader(path: str, gitlab_file: str) -> Callable[[str], Iterator[Found]] | None:
    if path == gitlab_file:
        return workflows.of_gitlab
    return next((read for pattern, read in _READERS if pattern.fullmatch(path)), None)
