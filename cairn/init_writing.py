"""The files that `cairn init` leaves: cairn.yaml, `.env` with the secrets, and a line in .gitignore."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from dotenv.parser import parse_stream

from pipelines import workspace
from pipelines.home import write_atomically
from pipelines.workspace import Workspace

_PLAIN = re.compile(r"[A-Za-z0-9_./+:@%=-]+").fullmatch
_CATALOGUES = ("backstage",)
"""Kinds of source that are made to say which services and teams there are."""
_PRIVATE = (".env", ".cairn/")
"""What must not come under version control: tokens, and the key that people are hashed with."""


class DotenvError(Exception):
    """A `.env` that no line can be added to; `str()` goes on after its name."""


def text(organisation: str, timezone: str, sources: Sequence[Mapping[str, Any]]) -> str:
    """A workspace file."""
    lines = [
        "# What Cairn reads, for whom and by which calendar. docs/workspace.md describes every setting.",
        f"organisation: {_flow(organisation)}",
        f"timezone: {_flow(timezone)}  # in which days, weeks and months begin",
        "",
        "sources:  # ${NAME} stands for an environment variable, or a line of .env",
    ]
    for source in sources:
        settings = [f"{_flow(key)}: {_flow(value)}" for key, value in source.items()]
        lines += [f"  - {settings[0]}", *(f"    {setting}" for setting in settings[1:])]
    catalogue = next((source for source in sources if source["kind"] in _CATALOGUES), None)
    if catalogue is not None:
        name = _flow(catalogue.get("name", catalogue["kind"]))
        lines += ["", f"services: {{from: {name}}}  # or a list", f"teams: {{from: {name}}}"]
    else:
        lines += [
            "",
            "# Until they are listed every repository is a service, and nobody owns it:",
            "# services:",
            "#   - {name: shop, team: web, repositories: [shop, shop-*]}",
            "# teams:",
            "#   - {name: web}",
        ]
    return "".join(f"{line}\n" for line in lines)


def _flow(value: object) -> str:
    said: str = yaml.safe_dump(
        value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10**6
    )
    return said.strip().removesuffix("...").strip()


def loaded(folder: Path, content: str, secrets: Mapping[str, str]) -> Workspace:
    """The workspace that `content` would be as a file in `folder`; raises `WorkspaceError`."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, prefix=".cairn-init-") as file:
        file.write(content)
        file.flush()
        return workspace.load(Path(file.name), {**os.environ, **secrets})


def variables(folder: Path) -> dict[str, str]:
    """What `.env` in a folder holds; raises `DotenvError`."""
    try:
        bindings = list(parse_stream(io.StringIO(_read(folder / ".env"))))
    except UnicodeDecodeError:
        raise DotenvError("is not UTF-8 text") from None
    for each in bindings:
        if each.error:
            raise DotenvError(f"holds what is not `NAME=value` on line {each.original.line}")
    return {each.key: each.value or "" for each in bindings if each.key}


def write(folder: Path, content: str, secrets: Mapping[str, str]) -> Iterator[str]:
    """Write all files, each as a whole, the workspace last; yields a line on each. Ctrl-C waits."""
    with _uninterrupted():
        if said := _keep_out_of_git(folder):
            yield said
        if secrets:
            path = folder / ".env"
            lines = "".join(f"{name}={_quoted(value)}\n" for name, value in secrets.items())
            _replace(path, _ended(_read(path)) + lines, 0o600)
            yield f"Wrote {', '.join(secrets)} to .env, which you alone can read."
        _replace(folder / workspace.DEFAULT_FILE, content, 0o644)
        yield f"Wrote {workspace.DEFAULT_FILE}."


def tracked_secrets(folder: Path) -> bool:
    """Whether `.env` is under version control already."""
    return _git(folder, "ls-files", "--error-unmatch", ".env") == 0


def _keep_out_of_git(folder: Path) -> str:
    exposed = [name for name in _PRIVATE if _git(folder, "check-ignore", "--no-index", "-q", name) == 1]
    if not exposed:
        return ""
    path = folder / ".gitignore"
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    _replace(path, _ended(_read(path)) + "".join(f"{name}\n" for name in exposed), mode)
    return f"Added {' and '.join(exposed)} to .gitignore."


def _git(folder: Path, *arguments: str) -> int | None:
    """Exit code of git; None where there is none."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        return subprocess.run(
            ["git", "-C", folder, *arguments], env=environ, capture_output=True, stdin=subprocess.DEVNULL
        ).returncode
    except FileNotFoundError:
        return None


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def _ended(content: str) -> str:
    return content if content.endswith("\n") or not content else content + "\n"


def _quoted(value: str) -> str:
    """A value as a line of `.env` holds it."""
    if _PLAIN(value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _replace(path: Path, content: str, mode: int) -> None:
    target = path.resolve()
    write_atomically(target, content.encode())
    target.chmod(mode)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
