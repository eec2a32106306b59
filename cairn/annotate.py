"""`cairn annotate`: what happened when, marked on the trends it is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from cairn.formats import Format
from cairn.workplace import home_here

if TYPE_CHECKING:
    from pipelines.annotation_settings import Level
    from pipelines.home import Home

app = typer.Typer(help="What happened when: lines on the trends it is about.", no_args_is_help=True)
console = Console(stderr=True, highlight=False)


def _day(text: str) -> date:
    return date.fromisoformat(text)


@app.command()
def add(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="What happened, in a few words; never a person's name.")],
    on: Annotated[date, typer.Option("--date", parser=_day, metavar="YYYY-MM-DD", help="Local day.")],
    team: Annotated[str | None, typer.Option(help="About a team and those below it.")] = None,
    service: Annotated[str | None, typer.Option(help="About a service.")] = None,
    capability: Annotated[str | None, typer.Option(help="About a capability's adoption.")] = None,
) -> None:
    """Add one, about everything unless a team, service or capability is named."""
    from pipelines import annotating

    named: dict[Level, str | None] = {"team": team, "service": service, "capability": capability}
    about: dict[Level, str | None] = {level: name for level, name in named.items() if name is not None}
    about = about or {"organisation": None}
    if len(about) > 1:
        raise typer.BadParameter("name one of --team, --service and --capability")
    ((level, key),) = about.items()
    with _home(ctx) as home:
        _check(home, level, key)
        print(annotating.add(home, on, text, level, key).id)


@app.command("list")
def list_(
    ctx: typer.Context,
    output: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Print all of them, those of the workspace file included."""
    from cairn.rows import print_rows
    from pipelines import annotating

    with _home(ctx) as home:
        rows = [each.model_dump() for each in annotating.read(home)]
    print_rows(rows, output, empty="There is none yet: `cairn annotate add` adds one.")


@app.command()
def remove(
    ctx: typer.Context,
    annotation: Annotated[str, typer.Argument(metavar="ID", help="As `cairn annotate list` has it.")],
) -> None:
    """Remove one that was added; those of the workspace file are removed there."""
    from pipelines import annotating

    with _home(ctx) as home:
        removed = annotating.remove(home, annotation)
    console.print(f"Removed: {removed.date} {removed.text}", markup=False)


def _check(home: Home, level: Level, key: str | None) -> None:
    """Refuse a name that the published figures do not know."""
    from pipelines import warehouse
    from pipelines.config_file import suggestion

    snapshot = warehouse.published(home)
    if key is None or snapshot is None:
        return
    names = [row["name"] for row in snapshot.rows(f"select {level} as name from marts.{level}")]
    if key not in names:
        raise typer.BadParameter(
            f"there is no {level} {key}. {suggestion(key, names)}".rstrip(), param_hint=f"--{level}"
        )


@contextmanager
def _home(ctx: typer.Context) -> Iterator[Home]:
    """The home; what goes wrong ends the command with exit code 1."""
    from pipelines.annotating import AnnotationError
    from pipelines.warehouse import WarehouseError

    try:
        yield home_here(ctx.obj)
    except (AnnotationError, WarehouseError) as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from error
