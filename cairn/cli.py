"""The `cairn` command. Exit codes: 0 ok, 1 failed, 2 usage.

Commands import what they need when they run, so that `--help` and `metrics` need no Dagster.
"""

from __future__ import annotations

import os
import sys
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from pipelines.home import Home

if TYPE_CHECKING:
    from pipelines.workspace import Workspace

app = typer.Typer(
    name="cairn",
    help="Developer productivity metrics and feedback for platform teams.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
console = Console(stderr=True, highlight=False)

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        "-w",
        metavar="FILE",
        envvar="CAIRN_WORKSPACE",
        help="The workspace file. Default: cairn.yaml;"
        " without one, the git repository of the working directory.",
    ),
]


class Level(StrEnum):
    """What figures are about."""

    organisation = "organisation"
    team = "team"
    service = "service"
    repository = "repository"


class Grain(StrEnum):
    """Length of a period."""

    day = "day"
    week = "week"
    month = "month"
    quarter = "quarter"
    year = "year"


class Format(StrEnum):
    """How rows are printed."""

    table = "table"
    json = "json"
    csv = "csv"


def _day(text: str) -> date:
    return date.fromisoformat(text)


DayOption = Annotated[date | None, typer.Option(parser=_day, metavar="YYYY-MM-DD")]


@app.callback()
def everywhere(
    ctx: typer.Context,
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", metavar="FILE", help="As after a command.")
    ] = None,
) -> None:
    """Developer productivity metrics and feedback for platform teams."""
    ctx.obj = workspace


@app.command()
def sync(
    ctx: typer.Context,
    workspace: WorkspaceOption = None,
    source: Annotated[str | None, typer.Option(help="Read this source alone.")] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Read everything again and rebuild everything.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show Dagster's log.")] = False,
) -> None:
    """Read what is new in the sources, and publish the figures."""
    from cairn import sync as command

    found = _workspace(workspace or ctx.obj)
    if source is not None and source not in {s.name for s in found.sources}:
        names = ", ".join(s.name for s in found.sources)
        raise typer.BadParameter(
            f"no source is called {source}; the workspace has {names}", param_hint="--source"
        )
    try:
        code = command.run(Home.from_env(), found, source, is_full=full, is_verbose=verbose, console=console)
    except KeyboardInterrupt:
        console.print("Interrupted. Nothing is lost: the next sync goes on from here.")
        code = 130
    raise typer.Exit(code)


@app.command()
def metrics(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Metrics, as in change_lead_time.")],
    by: Annotated[Level, typer.Option(help="What the figures are about.")] = Level.organisation,
    grain: Annotated[Grain, typer.Option(help="Length of the periods.")] = Grain.month,
    since: DayOption = None,
    until: DayOption = None,
    output: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
    workspace: WorkspaceOption = None,
) -> None:
    """Print figures: every period that overlaps [since, until), with n, interval and status."""
    from cairn import metrics as command

    if since and until and since >= until:
        raise typer.BadParameter(f"{until} is not after --since {since}", param_hint="--until")
    if workspace or ctx.obj:
        _workspace(workspace or ctx.obj)
    raise typer.Exit(command.run(Home.from_env(), names, by, grain, since, until, output, console))


@app.command()
def doctor(ctx: typer.Context, workspace: WorkspaceOption = None) -> None:
    """Check configuration, reachability, freshness and what is unmatched; exit 1 if something is wrong."""
    from cairn import doctor as command

    raise typer.Exit(command.run(Home.from_env(), _workspace(workspace or ctx.obj), Console(highlight=False)))


@app.command()
def up(
    ctx: typer.Context,
    workspace: WorkspaceOption = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the dashboard.")] = 8501,
    dagster_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of Dagster's own pages.")] = 3000,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
) -> None:
    """Sync, then run the dashboard and Dagster until Ctrl-C."""
    from cairn import up as command
    from pipelines.workspace import find

    _workspace(workspace or ctx.obj)
    environment = {"CAIRN_HOME": str(Home.from_env().root)}
    if path := find(workspace or ctx.obj, os.environ):
        environment["CAIRN_WORKSPACE"] = str(path.absolute())
    raise typer.Exit(
        command.run(
            environment, port, dagster_port, open_browser=not no_browser, console=Console(highlight=False)
        )
    )


def _workspace(option: Path | None) -> Workspace:
    """The workspace, or exit 1 with one line for each thing wrong with it."""
    from pipelines import workspace

    try:
        path = workspace.find(option, os.environ)
        return workspace.load(path, os.environ) if path else workspace.standing_in(Path.cwd())
    except workspace.WorkspaceError as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from error


def main() -> None:
    """Run the command line; an interrupted command exits with 130."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read the output, as in `cairn metrics … | head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        console.print(f"{error.strerror or error}{where}", style="red", markup=False, soft_wrap=True)
        sys.exit(1)
