"""`cairn push`: credentials of tools that send events to the API."""

from __future__ import annotations

import typer

from cairn.token import NameArgument, list_, print_made, revoke

app = typer.Typer(help="Which tools may send events to Cairn (docs/events.md).", no_args_is_help=True)
app.command("list")(list_)
app.command()(revoke)


@app.command()
def token(ctx: typer.Context, name: NameArgument) -> None:
    """Make a token that may send events until it is revoked: `cairn token create NAME --may events`."""
    from pipelines.credentials import May, new_token

    print_made(ctx, lambda home: new_token(home, name, {May.events}))


@app.command()
def secret(ctx: typer.Context, name: NameArgument) -> None:
    """Make a secret that signs webhooks, as those of GitHub and GitLab; it is printed once."""
    from pipelines.credentials import new_secret

    print_made(ctx, lambda home: new_secret(home, name))
