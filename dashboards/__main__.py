"""`python -m dashboards --port N`: serve the dashboard on this machine alone."""

from __future__ import annotations

import argparse

from dashboards.app import serve


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m dashboards", description=__doc__)
    parser.add_argument("--port", type=int, default=8501)
    serve(parser.parse_args().port)


if __name__ == "__main__":
    main()
