"""HTTP: the one place that speaks it. Credentials, paging, retries, rate limits, redaction."""

from connectors.http.auth import Auth, basic, bearer, client_credentials, github_app
from connectors.http.client import Client, graphql_pages
from connectors.http.errors import (
    Forbidden,
    GraphQLError,
    HttpError,
    NotFound,
    Refused,
    Unauthorized,
    Unavailable,
)
from connectors.http.limits import Budget
from connectors.http.paging import (
    CursorPaging,
    KeysetPaging,
    LinkPaging,
    OffsetPaging,
    PagePaging,
    Paging,
    Params,
)
from connectors.http.reading import Answer

__all__ = [
    "Answer",
    "Auth",
    "Budget",
    "Client",
    "CursorPaging",
    "Forbidden",
    "GraphQLError",
    "HttpError",
    "KeysetPaging",
    "LinkPaging",
    "NotFound",
    "OffsetPaging",
    "PagePaging",
    "Paging",
    "Params",
    "Refused",
    "Unauthorized",
    "Unavailable",
    "basic",
    "bearer",
    "client_credentials",
    "github_app",
    "graphql_pages",
]
