"""GitHub as one reading of it sees it: queries, what their errors mean, and a repository's cursor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple

from pydantic import JsonValue

from connectors.connector import Batch, Context, Problem
from connectors.http import Client, Forbidden, GraphQLError, HttpError, NotFound
from connectors.records import Record
from connectors.snapshot import fields

PERMISSIONS = {
    "repository": "Metadata",
    "pull_request": "Pull requests",
    "pipeline_run": "Actions",
    "deployment": "Deployments",
    "release": "Contents",
    "incident": "Issues",
    "commit": "Contents",
}
"""Part of a repository → the read permission that fine-grained tokens and Apps need for it."""

_LONGEST_MESSAGE = 300
_NOT_PERMITTED = ("FORBIDDEN", "INSUFFICIENT_SCOPES")


class Listed(NamedTuple):
    """A repository as the list of an account's repositories has it."""

    id: str
    name: str
    full_name: str
    """With the account before it."""
    url: str
    default_branch: str | None
    is_archived: bool
    is_fork: bool
    created_at: str
    pushed_at: str | None
    """None while it is empty."""
    marks: Mapping[str, JsonValue]
    """Part → what changes whenever there is news in it; without a part that may not be read."""
    without: frozenset[str]
    """Parts of which there is nothing at all."""

    @property
    def owner(self) -> str:
        return self.full_name.partition("/")[0]


@dataclass(frozen=True)
class GitHub:
    """What every part of one reading needs."""

    client: Client
    context: Context
    graphql_path: str
    since: date | None

    @property
    def begins_at(self) -> datetime | None:
        """Before it nothing is read."""
        return None if self.since is None else datetime.combine(self.since, time(), UTC)

    def graphql(
        self, query: str, variables: Mapping[str, JsonValue], stream: str
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Data and the errors of a part of it; raises `HttpError`."""
        try:
            answer = self.client.graphql(query, variables, stream=stream, path=self.graphql_path)
        except GraphQLError as error:
            raise failure(error.errors) or error from None
        errors = answer.get("errors") or []
        return answer["data"], [error for error in errors if isinstance(error, dict)]

    def repository(
        self, query: str, repository: Listed, stream: str, **variables: JsonValue
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """What a query says of one repository, and the errors of a part of it; raises `HttpError`."""
        known: dict[str, JsonValue] = {"owner": repository.owner, "name": repository.name}
        data, errors = self.graphql(query, known | variables, stream)
        found = data.get("repository")
        if not isinstance(found, dict):
            raise failure(errors) or NotFound(
                f"{repository.full_name} is not there any more", "Check the permissions of the credentials."
            )
        if str(found.get("databaseId")) != repository.id:
            raise NotFound(f"{repository.full_name} is another repository by now", "Sync again.")
        return found, errors


def failure(errors: Sequence[Mapping[str, Any]]) -> HttpError | None:
    """What GraphQL's errors would be in REST; None where they are something else."""
    for error in errors:
        said = message_of(error)
        if error.get("type") == "NOT_FOUND":
            return NotFound(said, "GitHub also says this of what the credentials may not see.")
        if error.get("type") in _NOT_PERMITTED:
            mend = "Give the credentials the permission to read this."
            if "SAML" in said or "single sign-on" in said.lower():
                mend = "Authorise the token for the organisation's single sign-on, in its settings on GitHub."
            return Forbidden(said, mend)
    return None


def message_of(error: Mapping[str, Any]) -> str:
    """GitHub's own words, on one line."""
    return " ".join(str(error.get("message")).split())[:_LONGEST_MESSAGE]


class Found(NamedTuple):
    """A page of a connection."""

    items: list[Any]
    """Its edges where they were asked for, else its nodes."""
    end: str | None
    """The cursor after which the next page begins; None on the last."""
    total: int | None
    """How many there are on all pages, where that was asked for."""


def connection(holder: Any, name: str, errors: Sequence[dict[str, Any]] = ()) -> Found:
    """The page that a field of `holder` holds; raises `HttpError`, as `errors` say, where there is none."""
    try:
        found = holder[name]
        page = found["pageInfo"]
        items = found["edges"] if "edges" in found else found["nodes"]
        return Found(list(items), page["endCursor"] if page["hasNextPage"] else None, found.get("totalCount"))
    except (AttributeError, KeyError, TypeError):
        refuse(errors)
        raise GraphQLError(f"GitHub's answer is without {name}", "Sync again.", errors) from None


def refuse(errors: Sequence[dict[str, Any]]) -> None:
    """Raise what is the matter, where an answer with errors cannot be used in part."""
    if errors:
        said = "; ".join(map(message_of, errors[:3]))
        raise failure(errors) or GraphQLError(
            f"GitHub left out a part of its answer: {said}", "Sync again.", errors
        )


def is_out_of_bounds(error: HttpError) -> bool:
    """Whether the credentials lack a permission, which they then lack for every repository."""
    said = str(error).lower()
    return isinstance(error, Forbidden) and ("not accessible by" in said or "required scopes" in said)


def out_of_bounds(source: str, part: str, said: str) -> Problem:
    """That a part is not read in any repository, for the permission is lacking."""
    what = part.replace("_", " ")
    mend = f"Give the token or App the permission to read {PERMISSIONS.get(part, what)}."
    return Problem(source, f"no {what} is read: {said}", mend)


class Progress:
    """The cursor of one repository: a JSON object with a field for each part."""

    def __init__(self, scope: str, cursor: JsonValue) -> None:
        self.scope = scope
        self._state = dict(fields(cursor))
        self._carried = dict(self._state)

    def part(self, name: str) -> Mapping[str, JsonValue]:
        """What is known of a part."""
        return fields(self._state.get(name))

    def move(self, **parts: JsonValue) -> None:
        """Have the next batch that carries the cursor carry this too; a value is never changed afterwards."""
        self._state |= parts

    def batches(self, *streams: tuple[str, Sequence[Record]], **parts: JsonValue) -> Iterator[Batch]:
        """Yield what has records; the last batch moves the cursor past all of them."""
        self.move(**parts)
        filled = [(stream, records) for stream, records in streams if records]
        for number, (stream, records) in enumerate(filled, 1):
            yield Batch(stream, self.scope, records, self.carried() if number == len(filled) else None)

    def carried(self) -> JsonValue:
        """The cursor, for a batch that carries it."""
        self._carried = dict(self._state)
        return dict(self._state)

    def rest(self) -> Iterator[Batch]:
        """Yield what no batch has carried yet, if it is more than validators of requests."""
        if _without_validators(self._state) != _without_validators(self._carried):
            yield Batch("repository", self.scope, (), self.carried())


def _without_validators(state: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {
        name: {key: value for key, value in part.items() if key != "validator"}
        if isinstance(part, dict)
        else part
        for name, part in state.items()
    }
