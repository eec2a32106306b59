"""What settings are made of: their base class, names and lengths of time."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints

from pipelines.config_file import refusal


class Settings(BaseModel):
    """A group of settings in the workspace file; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _printable(name: str) -> str:
    if not name.isprintable():
        raise refusal("holds a line break or a control character", "Remove it")
    return name


def length_of_time(value: object) -> timedelta:
    """`90m`, `24h` or `2d` as a `timedelta`; what is none of them raises `ValueError`."""
    units = {"m": "minutes", "h": "hours", "d": "days"}
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"(\d{1,6})([mhd])", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("is no length of time such as 90m, 24h or 2d")
    return timedelta(**{units[match[2]]: int(match[1])})


Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_printable)
]
Duration = Annotated[timedelta, BeforeValidator(length_of_time)]
