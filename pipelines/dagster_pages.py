"""Where Dagster's own pages are, as long as `cairn up` serves them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from pipelines.home import Home, write_atomically
from pipelines.status import is_running


class _Served(BaseModel):
    url: str
    pid: int
    since: datetime


def announce(home: Home, url: str, pid: int) -> None:
    """Say that the process serves them at the URL from now on."""
    served = _Served(url=url, pid=pid, since=datetime.now(UTC))
    write_atomically(_file(home), served.model_dump_json().encode())


def address(home: Home) -> str | None:
    """Their URL, which only this machine can open; None where nothing serves them."""
    try:
        served = _Served.model_validate_json(_file(home).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    return served.url if is_running(served.pid, served.since) else None


def _file(home: Home) -> Path:
    return home.dagster / "served.json"
