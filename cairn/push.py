"""`cairn push`: who may send events to the API."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from cairn.workplace import home_here

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.home import Home

app = typer.Typer(help="Who may send events to Cairn (docs/events.md).", no_args_is_help=True)
console = Console(stderr=True, highlight=False)

NameArgument = Annotated[str, typer.Argument(help="What it is for, as in `argo`.")]


@app.command()
def token(ctx: typer.Context, name: NameArgument) -> None:
    """Make a bearer token; it is printed once and only its hash is kept."""
    from pipelines import push

    _print_made(ctx, name, push.new_token)


@app.command()
def secret(ctx: typer.Context, name: NameArgument) -> None:
    """Make a secret that signs webhooks, as those of GitHub and GitLab; it is printed once."""
    from pipelines import push

    _print_made(ctx, name, push.new_secret)


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """Say which tokens and secrets there are."""
    from pipelines import push

    for each in push.tokens(home_here(ctx.obj)):
        print(f"{each.name}\t{each.kind}\t{each.created_at:%Y-%m-%d}")


@app.command()
def revoke(ctx: typer.Context, name: NameArgument) -> None:
    """Take a token or secret back, at once."""
    from pipelines import push

    if not push.revoke(home_here(ctx.obj), name):
        console.print(f"There is no token and no secret called {name}.", markup=False)
        raise typer.Exit(1)


def _print_made(ctx: typer.Context, name: str, make: Callable[[Home, str], str]) -> None:
    from pipelines.push import PushError

    workspace: Path | None = ctx.obj
    try:
        print(make(home_here(workspace), name))
    except PushError as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from error
