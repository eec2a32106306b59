"""What Backstage's entities refer to: other entities, and folders of repositories."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

_REFERENCE = re.compile(r"(?:([^:/]+):)?(?:([^:/]+)/)?([^:/]+)").fullmatch
_VERSION = re.compile(r"v?\d{1,8}(?:\.\d{1,8}){0,3}(?:[-+][\w.]{1,20})?", re.ASCII).fullmatch
_SLUGS = {
    "github.com/project-slug": "github.com",
    "gitlab.com/project-slug": "gitlab.com",
    "bitbucket.org/project-slug": "bitbucket.org",
}
"""Annotation that names a repository by its path → the host, unless the location says another."""
_IN_REPOSITORY = re.compile(
    r"(?P<repository>/.+?)(?:/-)?/(?:tree|blob|raw|edit|src(?:/(?:branch|tag|commit))?)/[^/]+(?:/(?P<path>.*))?"
).fullmatch


class Reference(NamedTuple):
    """Names an entity; in lower case, as Backstage compares without regard to it."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.namespace}/{self.name}"


def reference(text: object, kind: str, namespace: str = "default") -> Reference | None:
    """What `text` refers to, in the given kind and namespace unless it says others; None for no reference."""
    match = _REFERENCE(text.strip().lower()) if isinstance(text, str) else None
    return Reference(match[1] or kind, match[2] or namespace, match[3]) if match else None


def version(text: object) -> str | None:
    """`text` where it has the shape of a version; other texts may be anything."""
    return text.strip() if isinstance(text, str) and _VERSION(text.strip()) else None


class Sources(NamedTuple):
    """Where the code of a component is."""

    repositories: tuple[str, ...]
    """Addresses without credentials."""
    paths: tuple[str, ...]


def sources(annotations: Mapping[str, Any]) -> Sources:
    """Where annotations say the code is.

    The folder is that of `backstage.io/source-location`; without one, as Backstage has it, that of
    the entity's own file, unless in a hidden folder.
    """
    said = annotations.get("backstage.io/source-location")
    is_said = isinstance(said, str) and said.startswith("url:")
    location = _location(said if is_said else annotations.get("backstage.io/managed-by-location"))
    if location and not is_said:
        location = location.own_file()
    found: dict[str, None] = {}
    for annotation, host in _SLUGS.items():
        slug = annotations.get(annotation)
        if isinstance(slug, str) and "/" in slug.strip("/"):
            slug = slug.strip("/")
            is_there = location and location.repository.lower().endswith(f"/{slug.lower()}")
            known = annotations.get("gitlab.com/instance") if host == "gitlab.com" else None
            elsewhere = known if isinstance(known, str) and known else host
            found[location.repository if location and is_there else f"https://{elsewhere}/{slug}"] = None
    if location and (is_said or not found):
        found[location.repository] = None
    is_of_it = location is not None and location.path and location.repository in found
    return Sources((*found,), (location.path,) if location and is_of_it else ())


class _Location(NamedTuple):
    repository: str
    path: str
    """Of a folder, or of a file; empty for all of it."""

    def own_file(self) -> _Location:
        """The folder of the file that describes the entity."""
        folder = self.path.rpartition("/")[0]
        return self._replace(path="" if folder.startswith(".") else folder)


def _location(annotation: object) -> _Location | None:
    """A repository and a path in it; None for what is no web address."""
    kind, _, address = annotation.partition(":") if isinstance(annotation, str) else ("", "", "")
    try:
        url = urlsplit(address)
        host = _host(url)
    except ValueError:
        return None
    if kind != "url" or url.scheme not in {"http", "https"} or not host:
        return None
    match = _IN_REPOSITORY(url.path)
    path = match["repository"] if match else url.path.rstrip("/")
    if path.strip("/").count("/") < 1:
        return None
    folder = (match["path"] or "").strip("/") if match else ""
    return _Location(f"{url.scheme}://{host}{path.removesuffix('.git')}", folder)


def _host(url: SplitResult) -> str:
    return url.netloc.rpartition("@")[2].lower()
