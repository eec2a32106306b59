"""Where git repositories are: entries of `repositories` made into addresses, ids and names."""

from __future__ import annotations

import glob
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from connectors.connector import Problem
from connectors.git.cli import Git, GitError, Remote

_DEFAULT_PORTS = {"http": 80, "https": 443, "ssh": 22, "git": 9418}
_SCP_LIKE = re.compile(r"(?:(?P<user>[^@/:]+)@)?(?P<host>\[[^\]]+\]|[^@/:\[\]]+):(?P<path>.+)", re.DOTALL)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)(://|::)", re.IGNORECASE)


class Location(NamedTuple):
    """One repository and how to reach it; its `repr` shows no secret."""

    id: str
    """Absolute path, or `host/path` without scheme, user and `.git`: ssh and https are one."""
    url: str
    """For a person; an ssh address of a usual forge becomes the page's https URL."""
    remote: Remote
    name: str = ""
    """Last part of the id, with as many parts before it as tell it apart."""


def without_credentials(entry: str) -> str:
    """An entry of `repositories` as it may be shown."""
    return re.sub(r"(://).*@", r"\1", entry)


def fault(entry: str) -> str | None:
    """What is wrong with an entry of `repositories` whatever is on the disk or the net."""
    if not entry.strip() or any(ord(character) < 32 for character in entry):
        return "an entry is empty or has control characters"
    scheme = _SCHEME.match(entry)
    if scheme and (scheme[1].lower() not in {*_DEFAULT_PORTS, "file"} or scheme[2] == "::"):
        return f"{without_credentials(entry)}: cannot read {scheme[1]}; use https, http, ssh, git or file"
    if scheme and scheme[1].lower() != "file":
        try:
            url = urlsplit(entry)
            is_whole = bool(url.hostname and _port(url)) and "@" not in url.query + url.fragment
        except ValueError:
            is_whole = False
        if not is_whole:
            return f"{without_credentials(entry)}: not a URL; percent-encode special characters of a password"
    match = None if scheme else _SCP_LIKE.fullmatch(entry)
    if match and not match["user"] and "@" in match["path"].partition("/")[0]:
        return "an address with a user and a password begins with https://"
    if match and match["host"].startswith("-"):
        return f"{entry}: a host does not start with a dash"
    return None


def from_folder(entry: str, folder: Path) -> str:
    """`entry`, its path taken from `folder` where it is a relative one."""
    path = os.path.join(folder, os.path.expanduser(entry))  # noqa: PTH118, PTH111 -- an entry may end in a slash or be a glob
    is_remote = _SCHEME.match(entry) or (_SCP_LIKE.fullmatch(entry) and not os.path.exists(path))  # noqa: PTH110
    return entry if is_remote else path


def locate(entries: Iterable[str], git: Git) -> tuple[list[Location], list[Problem]]:
    """The repositories that `entries` name, each once, with names of their own."""
    found: dict[str, Location] = {}
    problems: list[Problem] = []
    for entry in entries:
        for location in _remote(entry) or _local(entry, git):
            if isinstance(location, Problem):
                problems.append(location)
            else:
                found.setdefault(location.id, location)
    names = shortest_names(found)
    return [location._replace(name=names[location.id]) for location in found.values()], problems


def shortest_names(ids: Iterable[str]) -> dict[str, str]:
    """Each id's last part, or as many of its last parts as no other id ends in."""
    parts = {id_: id_.removesuffix(".git").strip("/").split("/") for id_ in ids}
    names: dict[str, str] = {}
    taken: set[str] = set()
    length = 1
    while unnamed := parts.keys() - names.keys():
        endings = defaultdict(list)
        for id_ in unnamed:
            endings["/".join(parts[id_][-length:])].append(id_)
        for ending, (id_, *others) in endings.items():
            if not others and ending and ending not in taken:
                names[id_] = ending
                taken.add(ending)
        if length > max(map(len, parts.values())):
            return {**{id_: id_ for id_ in unnamed}, **names}
        length += 1
    return names


def _remote(entry: str) -> list[Location]:
    if _SCHEME.match(entry):
        url = urlsplit(entry)
        return [] if url.scheme == "file" else [_url_location(url)]
    match = _SCP_LIKE.fullmatch(entry)
    if match is None or _exists(entry):
        return []
    host, path = match["host"].lower(), _bare(match["path"])
    return [Location(f"{host}/{path}", f"https://{host}/{path}", Remote(entry))]


def _url_location(url: SplitResult) -> Location:
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname or ""
    port = _port(url)
    if port != _DEFAULT_PORTS[url.scheme]:
        host = f"{host}:{port}"
    path = _bare(url.path)
    query = f"?{url.query}" if url.query else ""
    if url.scheme in ("http", "https"):
        remote = Remote(
            f"{url.scheme}://{host}{url.path}{query}",
            unquote(url.username or ""),
            unquote(url.password or ""),
        )
        return Location(f"{host}/{path}", f"{url.scheme}://{host}/{path}", remote)
    user = f"{url.username}@" if url.username else ""
    is_forge = url.scheme == "ssh" and port == _DEFAULT_PORTS["ssh"]
    page = f"https://{host}/{path}" if is_forge else f"{url.scheme}://{host}{url.path}"
    return Location(f"{host}/{path}", page, Remote(f"{url.scheme}://{user}{host}{url.path}{query}"))


def _port(url: SplitResult) -> int:
    return url.port or _DEFAULT_PORTS[url.scheme]


def _bare(path: str) -> str:
    return path.strip("/").removesuffix(".git").rstrip("/")


def _local(entry: str, git: Git) -> Iterator[Location | Problem]:
    path = unquote(urlsplit(entry).path) if _SCHEME.match(entry) else os.path.expanduser(entry)  # noqa: PTH111
    if os.path.lexists(path) or not glob.has_magic(path):
        yield _local_location(path, git)
        return
    is_empty = True
    # Not Path.glob: it would enter .git folders and find what is hidden there.
    for match in sorted(glob.glob(path, recursive=True)):  # noqa: PTH207
        # A folder called x.git is meant to be one; any other may lie beside the repositories.
        if _git_folder(match) or match.rstrip(os.sep).endswith(".git"):
            is_empty = False
            yield _local_location(match, git)
    if is_empty:
        yield Problem(
            entry, "no git repository matches", "correct the pattern in `repositories`, or mount the folder"
        )


def _local_location(path: str, git: Git) -> Location | Problem:
    folder = _git_folder(path)
    if folder is None:
        message = "not a git repository" if _exists(path) else "no such folder"
        return Problem(_text(path), message, "name the top folder of a repository in `repositories`")
    if folder.is_file():
        # A linked work tree or a submodule: the repository is where git says.
        try:
            said = git.run("-C", path, "rev-parse", "--path-format=absolute", "--git-common-dir")
        except GitError as error:
            return Problem(_text(path), str(error), error.mend)
        folder = Path(os.fsdecode(said.removesuffix(b"\n")))
    real = folder.resolve()
    shown = _text(real.parent if real.name == ".git" else real)
    return Location(shown, shown, Remote(os.fspath(real)))


def _git_folder(path: str) -> Path | None:
    folder = Path(path)
    if _exists(folder / ".git"):
        return folder / ".git"
    return folder if all(_exists(folder / part) for part in ("HEAD", "objects", "refs")) else None


def _exists(path: str | Path) -> bool:
    """Whether there is such a path; False, not an error, behind a folder one may not enter."""
    return os.access(path, os.F_OK)


def _text(path: str | Path) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")
