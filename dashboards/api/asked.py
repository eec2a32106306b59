"""What can be asked of the reading API: its parameters, which are also what the description says of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import ErrorDetails, PydanticCustomError
from starlette.datastructures import QueryParams

from dashboards.api.problems import Problem

MOST_ROWS = 10_000


def _day(text: object) -> date:
    # Of other forms `fromisoformat` takes a few, and pydantic seconds since 1970.
    if isinstance(text, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        with suppress(ValueError):
            return date.fromisoformat(text)
    raise PydanticCustomError("day", "is no day", {"mend": "Write it as 2026-03-01"})


def _whole(text: object) -> int:
    # Of a query all is text; pydantic would take ` 5` and `5.0`, too.
    if isinstance(text, str) and re.fullmatch(r"[0-9]{1,9}", text):
        return int(text)
    raise PydanticCustomError("whole", "is no whole number", {"mend": f"Give 1 to {MOST_ROWS}"})


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Name = Annotated[str, Field(max_length=300)]
Names = Annotated[tuple[Name, ...], Field(max_length=100)]
Rows = Annotated[int, Field(ge=1, le=MOST_ROWS)]


class Query(BaseModel):
    """What all lists take. A filter has the name of the column that it is about."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )

    limit: Annotated[Rows, BeforeValidator(_whole, json_schema_input_type=Rows)] = 1000
    """Rows of a page."""
    cursor: Annotated[str, Field(max_length=2000)] | SkipJsonSchema[None] = None
    """Where the page begins: from `next` of the page before."""
    format: Literal["json", "csv"] | SkipJsonSchema[None] = None
    """What to answer with; without it what the header `Accept` prefers."""


class _Figures(Query):
    metric: Names = ()
    """Names of metrics; all without."""
    key: Names = ()
    """Names of services, teams and so on; all of the level without."""
    grain: Literal["day", "week", "month", "quarter", "year"] = "month"
    """Length of the periods."""
    since: Day | SkipJsonSchema[None] = None
    """Only periods that end after the beginning of this day."""
    until: Day | SkipJsonSchema[None] = None
    """Only periods that begin before this day."""

    @model_validator(mode="after")
    def _spans(self) -> Self:
        if self.since and self.until and self.since >= self.until:
            context = {"parameter": "until", "mend": "Give a later day"}
            raise PydanticCustomError("span", "is not after since", context)
        return self


class MetricQuery(_Figures):
    """Figures of delivery."""

    level: Literal["organisation", "team", "service", "repository"] = "organisation"
    """What the figures are about."""


class AdoptionQuery(_Figures):
    """Figures of the platform's use."""

    level: Literal["organisation", "team", "service", "tier", "kind"] = "organisation"
    """What the figures are about."""
    capability: Names = ()
    """Names of capabilities, empty for the platform as a whole; all without."""


class SurveyQuery(Query):
    """Released results of surveys."""

    wave: Names = ()
    """Names of waves; all that are released without."""
    item_id: Names = ()
    """Questions; of some statistics a construct, a theme, or `response`."""
    statistic: Annotated[
        tuple[Literal["top2", "mean", "nps", "umux_lite", "response", "theme"], ...], Field(max_length=6)
    ] = ()
    """What the values are."""
    table_name: Literal["team", "tier", "role"] | SkipJsonSchema[None] = None
    """What people are grouped by."""
    group_name: Names = ()
    """Names of groups, empty for the whole organisation; all without."""


Asked = TypeVar("Asked", bound=Query)


def read(model: type[Asked], given: QueryParams) -> Asked:
    """The query of a request; raises `Problem` with everything that is wrong with it."""
    lists = {name for name, field in model.model_fields.items() if field.default == ()}
    values = {name: given.getlist(name) if name in lists else given[name] for name in given}
    errors = [
        {"parameter": name, "detail": "is given more than once", "mend": "Give it once"}
        for name in given
        if name not in lists and len(given.getlist(name)) > 1
    ]
    try:
        query = model.model_validate(values)
    except ValidationError as error:
        known = ", ".join(sorted(model.model_fields))
        errors += [
            _error(each, known)
            for each in error.errors(include_url=False, include_input=False)
            if each["type"] != "none_required"  # the other half of what may be left out
        ]
    if errors:
        raise refusal(errors)
    return query


def refusal(errors: Sequence[Mapping[str, str]]) -> Problem:
    """Of a query that is not understood."""
    return Problem(422, "The query does not fit its description", errors=errors[:100])


def _error(error: ErrorDetails, known: str) -> dict[str, str]:
    context = error.get("ctx", {})
    parameter = str(context.get("parameter") or error["loc"][0])[:100]
    if error["type"] == "extra_forbidden":
        return {"parameter": parameter, "detail": "There is no such parameter", "mend": f"There are {known}"}
    mend = context.get("mend") or "Correct it: see /api/v1/openapi.json"
    return {"parameter": parameter, "detail": error["msg"], "mend": str(mend)}
