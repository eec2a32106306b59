"""What answers say about waiting: `Retry-After`, rate budgets and their resets."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

_EPOCH_FROM = 100_000_000
"""A reset below is seconds to go (PagerDuty), above it is seconds since 1970 (GitHub, GitLab)."""

_LONGEST_SECONDS = 1e8

_LIMIT_WORDS = ("rate limit", "abuse detection", "too many requests")
_GRAPHQL_LIMIT_TYPES = {"RATE_LIMITED", "RATE_LIMIT"}


class Budget(NamedTuple):
    """How many requests the tool still allows."""

    limit: int
    remaining: int
    resets_at: datetime | None
    """When `remaining` is `limit` again, UTC; None where the tool does not say."""


def budget(headers: Mapping[str, str]) -> Budget | None:
    """The budget that an answer states, under either usual name."""
    remaining, limit = _number(headers, "remaining"), _number(headers, "limit")
    if remaining is None:
        return None
    reset = reset_seconds(headers)
    try:
        resets_at = datetime.fromtimestamp(time.time() + reset, UTC) if reset is not None else None
    except (OverflowError, ValueError, OSError):
        resets_at = None
    return Budget(limit if limit is not None else remaining, remaining, resets_at)


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Seconds that `Retry-After` asks for, be it a number or a date; None where it asks for nothing."""
    said = headers.get("retry-after", "").strip()
    try:
        seconds = float(said)
    except ValueError:
        at = _date(said)
        seconds = math.nan if at is None else at - _server_time(headers)
    return None if math.isnan(seconds) else min(max(seconds, 0.0), _LONGEST_SECONDS)


def reset_seconds(headers: Mapping[str, str]) -> float | None:
    """Seconds until the budget is full again, by the server's clock; None where it does not say."""
    reset = _number(headers, "reset")
    if reset is None:
        return None
    return float(max(reset if reset < _EPOCH_FROM else reset - _server_time(headers), 0))


def is_used_up(headers: Mapping[str, str]) -> bool:
    """Whether nothing of the budget remains."""
    return _number(headers, "remaining") == 0


def resource(headers: Mapping[str, str]) -> str:
    """Which of its budgets the tool speaks of (GitHub has several); empty where there is one."""
    return headers.get("x-ratelimit-resource", "")


def is_limit(status: int, headers: Mapping[str, str], said: str) -> bool:
    """Whether an error answer means `later` and not `no`."""
    if status != 403:
        return status == 429
    return (
        "retry-after" in headers or is_used_up(headers) or any(word in said.lower() for word in _LIMIT_WORDS)
    )


def is_graphql_limit(errors: Any) -> bool:
    """Whether one of GraphQL's errors is a rate limit's, which comes with status 200."""
    return isinstance(errors, list) and any(
        isinstance(error, dict)
        and (
            error.get("type") in _GRAPHQL_LIMIT_TYPES
            or any(word in str(error.get("message")).lower() for word in _LIMIT_WORDS)
        )
        for error in errors
    )


def server_date(headers: Mapping[str, str]) -> datetime:
    """The server's clock, by which its times are to be read; our own where it does not say."""
    return datetime.fromtimestamp(_server_time(headers), UTC)


def _server_time(headers: Mapping[str, str]) -> float:
    at = _date(headers.get("date", ""))
    return time.time() if at is None else at


def _date(text: str) -> float | None:
    try:
        at = parsedate_to_datetime(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _number(headers: Mapping[str, str], name: str) -> int | None:
    for prefix in ("x-ratelimit-", "ratelimit-"):
        said = headers.get(prefix + name, "").strip()
        if said.isascii() and said.isdigit() and len(said) < 16:
            return int(said)
    return None
