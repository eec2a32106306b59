"""The `cairn` command. Exit codes: 0 ok, 1 failed, 2 usage.

Commands import what they need when they run, so that `--help` and `metrics` need no Dagster.
"""

from __future__ import annotations

import os
import shlex
import sys
import threading
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from cairn import annotate, push, snapshot, survey, token
from cairn.formats import Format
from cairn.opening import opened, opened_demo
from cairn.report import Format as ReportFormat
from cairn.workplace import home_here

if TYPE_CHECKING:
    from cairn.workplace import Workplace

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
        help="The workspace file, or a folder in a git repository to read that alone."
        " Default: cairn.yaml; without one, the demo organisation.",
    ),
]


class Level(StrEnum):
    """What figures are about."""

    organisation = "organisation"
    team = "team"
    service = "service"
    repository = "repository"
    tier = "tier"
    kind = "kind"
    capability = "capability"


class Grain(StrEnum):
    """Length of a period."""

    day = "day"
    week = "week"
    month = "month"
    quarter = "quarter"
    year = "year"


def _day(text: str) -> date:
    return date.fromisoformat(text)


PortOption = Annotated[int, typer.Option(min=1, max=65535, help="Port of the dashboard.")]
DagsterPortOption = Annotated[int, typer.Option(min=1, max=65535, help="Port of Dagster's own pages.")]
NoBrowserOption = Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")]
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
def init(
    force: Annotated[bool, typer.Option("--force", help="Replace the workspace file that is there.")] = False,
) -> None:
    """Ask for your tools and tokens, try them, and write cairn.yaml."""
    from cairn import init as command

    raise typer.Exit(command.run(Path.cwd(), Console(highlight=False), force=force))


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
    with opened(workspace or ctx.obj, console) as place:
        raise typer.Exit(_sync(place, source, is_full=full, is_verbose=verbose))


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
        with opened(workspace or ctx.obj, console):
            pass
    home = home_here(workspace or ctx.obj)
    raise typer.Exit(command.run(home, names, by, grain, since, until, output, console))


@app.command()
def report(
    ctx: typer.Context,
    since: DayOption = None,
    until: DayOption = None,
    form: Annotated[ReportFormat, typer.Option("--format", help="What to write.")] = ReportFormat.pdf,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to, `-` for standard output.")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Write a page for leadership: of the last month, or of a week, month, quarter or year that is named."""
    from cairn import report as command

    if until and not since:
        raise typer.BadParameter("needs --since", param_hint="--until")
    home = home_here(workspace or ctx.obj)
    raise typer.Exit(command.run(home, since, until, form, output, console))


DryOption = Annotated[bool, typer.Option("--dry-run", help="Print it, send nothing, note nothing.")]


@app.command()
def digest(ctx: typer.Context, workspace: WorkspaceOption = None, dry: DryOption = False) -> None:
    """Send the report of the last period that is over to those whom `digest` names, once."""
    _tell("digest", workspace or ctx.obj, is_dry=dry)


@app.command()
def alerts(ctx: typer.Context, workspace: WorkspaceOption = None, dry: DryOption = False) -> None:
    """Tell those whom `alerts` names of goals missed and met again, and of new levels of figures, once."""
    _tell("alerts", workspace or ctx.obj, is_dry=dry)


@app.command()
def doctor(ctx: typer.Context, workspace: WorkspaceOption = None) -> None:
    """Check configuration, reachability, freshness and what is unmatched; exit 1 if something is wrong."""
    from cairn import doctor as command

    with opened(workspace or ctx.obj, console) as place:
        raise typer.Exit(command.run(place.home, place.workspace, Console(highlight=False)))


@app.command()
def up(
    ctx: typer.Context,
    workspace: WorkspaceOption = None,
    port: PortOption = 8501,
    dagster_port: DagsterPortOption = 3000,
    host: Annotated[
        str, typer.Option(help="Address of this machine to serve the dashboard on; others need `sign_in`.")
    ] = "127.0.0.1",
    no_browser: NoBrowserOption = False,
) -> None:
    """Sync, then run the dashboard and Dagster until Ctrl-C."""
    with opened(workspace or ctx.obj, console) as place:
        raise typer.Exit(_up(place, port, dagster_port, open_browser=not no_browser, host=host))


app.add_typer(push.app, name="push")
app.add_typer(token.app, name="token")
app.add_typer(annotate.app, name="annotate")
app.add_typer(snapshot.app, name="snapshot")
app.add_typer(survey.app, name="survey")
demo_app = typer.Typer(help="A simulated organisation behind its tools' real APIs.", no_args_is_help=True)
app.add_typer(demo_app, name="demo")
FaultsOption = Annotated[
    bool, typer.Option("--faults", help="Let the tools fail as real ones do: 429, 502, time-outs and worse.")
]


@demo_app.command("up")
def demo_up(
    port: PortOption = 8501, dagster_port: DagsterPortOption = 3000, no_browser: NoBrowserOption = False
) -> None:
    """As `cairn up`, of the demo organisation."""
    with opened_demo(console) as place:
        raise typer.Exit(_up(place, port, dagster_port, open_browser=not no_browser))


@demo_app.command("sync")
def demo_sync(
    faults: FaultsOption = False,
    full: Annotated[bool, typer.Option("--full", help="Read everything again.")] = False,
) -> None:
    """Start the demo's tools, sync through the real connectors, and stop them."""
    with opened_demo(console, with_faults=faults) as place:
        raise typer.Exit(_sync(place, None, is_full=full, is_verbose=False))


@demo_app.command("serve")
def demo_serve(faults: FaultsOption = False) -> None:
    """Run the demo's tools until Ctrl-C, and say where they are."""
    with opened_demo(console, with_faults=faults) as place:
        for name, value in place.environment.items():
            print(f"export {name}={shlex.quote(value)}")
        console.print("The demo's tools run with these settings. Ctrl-C ends them.")
        threading.Event().wait()


@demo_app.command("surveys")
def demo_surveys(port: PortOption = 8501) -> None:
    """Live through the demo's survey waves, publish them, and print a link into the one that is open."""
    from cairn import demo_surveys as command

    # Below `cairn up` the tools run already.
    with opened(None, console) if "CAIRN_DEMO_GIT" in os.environ else opened_demo(console) as place:
        if command.prepare(place.home, place.workspace) and _sync(
            place, None, is_full=False, is_verbose=False
        ):
            raise typer.Exit(1)
        print(f"A survey is open: answer it at {command.a_link(place.home, place.workspace, port)}")


def _tell(what: Literal["digest", "alerts"], option: Path | None, *, is_dry: bool) -> None:
    from cairn import messages
    from cairn.outbox import OutboxError
    from pipelines.warehouse import WarehouseError

    said = Console(highlight=False, stderr=not is_dry)
    with opened(option, console) as place:
        try:
            is_sent = (messages.digest if what == "digest" else messages.alerts)(
                place.home,
                place.workspace,
                datetime.now(UTC),
                lambda line: said.print(line, markup=False, soft_wrap=True),
                is_dry=is_dry,
            )
        except (messages.MessageError, OutboxError, WarehouseError) as error:
            console.print(str(error), style="red", markup=False, soft_wrap=True)
            raise typer.Exit(1) from error
    raise typer.Exit(0 if is_sent else 1)


def _sync(place: Workplace, source: str | None, *, is_full: bool, is_verbose: bool) -> int:
    from cairn import sync as command

    if source is not None and source not in (names := [s.name for s in place.workspace.sources]):
        raise typer.BadParameter(
            f"no source is called {source}; the workspace has {', '.join(names)}", param_hint="--source"
        )
    try:
        return command.run(
            place.home, place.workspace, source, is_full=is_full, is_verbose=is_verbose, console=console
        )
    except KeyboardInterrupt:
        console.print("Interrupted. Nothing is lost: the next sync goes on from here.")
        return 130


def _up(
    place: Workplace, port: int, dagster_port: int, *, open_browser: bool, host: str = "127.0.0.1"
) -> int:
    from cairn import up as command

    sign_in = place.workspace.sign_in
    if host != command.HOST and not sign_in:
        raise typer.BadParameter(
            f"{host} would let others read everything: the workspace has no `sign_in` (see docs/sign-in.md)",
            param_hint="--host",
        )
    to_run = partial(command.commands, host=host, is_demo=place.workspace.demo)
    public_url = sign_in.public_url if sign_in else None
    out = Console(highlight=False)
    return command.run(
        place.environment, port, dagster_port, open_browser, out, to_run, host=host, public_url=public_url
    )


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
