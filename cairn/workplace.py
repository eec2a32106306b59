"""What a command works on: a workspace, its home, and what other processes need to open the same."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.home import Home

if TYPE_CHECKING:
    from pipelines.workspace import Workspace


@dataclass(frozen=True)
class Workplace:
    """An open workspace. `environment` is what others lay over theirs to open it too."""

    home: Home
    workspace: Workspace
    environment: Mapping[str, str]


def demo_home(home: Home) -> Home:
    """The demo organisation's own home, so that its figures never mix with real ones."""
    return Home(home.root / "demo")


def home_here(option: Path | None) -> Home:
    """The home: the demo's only where no workspace is named or found, and nothing else is published."""
    from pipelines import workspace

    home = Home.from_env()
    is_real = workspace.find(option, os.environ) or (home.published / "CURRENT").exists()
    return home if is_real else demo_home(home)


@contextmanager
def opened(path: Path) -> Iterator[Workplace]:
    """The workspace in a file, or the repository a folder is in; raises `WorkspaceError`."""
    from pipelines import workspace

    home = Home.from_env()
    environment = {"CAIRN_HOME": str(home.root), "CAIRN_WORKSPACE": str(path.absolute())}
    yield Workplace(home, workspace.load(path, os.environ), environment)


@contextmanager
def opened_demo(*, with_faults: bool = False) -> Iterator[Workplace]:
    """The demo organisation, its servers running until the end; raises `demo.serve.DemoError`."""
    import demo
    from demo.serve import start
    from pipelines import workspace

    home = demo_home(Home.from_env())
    home.create()
    path = Path(demo.__file__).with_name("cairn.yaml")
    with start(home.root / "organisation", faults=with_faults) as running:
        environment = {"CAIRN_HOME": str(home.root), "CAIRN_WORKSPACE": str(path), **running.environ}
        yield Workplace(home, workspace.load(path, {**os.environ, **running.environ}), environment)
