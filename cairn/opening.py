"""Opens what a command works on, and ends it with exit code 1 and a line for each thing that is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

if TYPE_CHECKING:
    from cairn.workplace import Workplace


@contextmanager
def opened(option: Path | None, console: Console) -> Iterator[Workplace]:
    """The workspace, or without one the demo."""
    from cairn import workplace
    from pipelines import workspace

    try:
        if path := workspace.find(option, os.environ):
            with workplace.opened(path) as place:
                yield place
            return
    except workspace.WorkspaceError as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from error
    console.print(
        f"There is no {workspace.DEFAULT_FILE} here, so this is the demo organisation. "
        "`cairn init` connects your own tools; `-w .` reads the git repository you are in."
    )
    with opened_demo(console) as place:
        yield place


@contextmanager
def opened_demo(console: Console, *, with_faults: bool = False) -> Iterator[Workplace]:
    """The demo organisation, its tools running."""
    from cairn import workplace
    from demo.serve import DemoError

    try:
        with workplace.opened_demo(with_faults=with_faults) as place:
            yield place
    except DemoError as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from error
