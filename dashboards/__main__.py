"""`python -m dashboards --port N`: serve the dashboard, beyond this machine only where people sign in."""

from __future__ import annotations

import argparse
import os
import sys

from pipelines.workspace import WorkspaceError, find, load_sign_in


def main() -> None:
    """Read the command line and the workspace's `sign_in`, and serve."""
    parser = argparse.ArgumentParser(prog="python -m dashboards", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8501)
    asked = parser.parse_args()
    try:
        path = find(None, os.environ)
        sign_in = load_sign_in(path, os.environ) if path else None
    except WorkspaceError as error:
        sys.exit(f"{error}\nWhether people have to sign in cannot be read, so nothing is served.")
    if not sign_in and asked.host != "127.0.0.1":
        sys.exit(f"Only 127.0.0.1 is served without `sign_in` in the workspace file, not {asked.host}.")
    # Takes a second to import: what is refused is refused at once.
    from dashboards.app import serve

    serve(asked.host, asked.port, sign_in)


if __name__ == "__main__":
    main()
