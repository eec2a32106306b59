"""Answers GraphQL queries as GitHub does: fields that a type lacks are errors, connections need a size.

A query is compiled into closures for its variables once per request; they then run over the
world's own objects. Only what `github_types` lists exists.
"""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    parse,
    print_ast,
)
from graphql.language import ast
from graphql.utilities import value_from_ast_untyped

MOST_ITEMS = 100

Values = Mapping[str, Any]


class Field(NamedTuple):
    """A field of a type."""

    resolve: Callable[[Any, Values], Any]
    """Takes the object and the arguments."""
    type: str | None = None
    """Of what it resolves to: an object, or a list of them; None for a scalar."""
    arguments: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Connection:
    """What a connection's field resolves to, before it is cut into a page."""

    items: Sequence[Any]
    """In ascending order."""
    keys: Sequence[Any]
    """Of each item its place in the order; what a cursor names."""
    is_descending: bool = False


class Page(NamedTuple):
    """A page of a connection."""

    items: list[Any]
    keys: list[Any]
    total: int
    has_next: bool
    has_previous: bool


class Refused(Exception):
    """The query as a whole is refused, with GitHub's code for it."""

    def __init__(self, code: str, message: str, **extensions: str) -> None:
        super().__init__(message)
        self.error = {"extensions": {"code": code, **extensions}, "message": message}


class Failed(Exception):
    """One field cannot be resolved; it is null."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


Types = Mapping[str, Mapping[str, Field]]
Abstract = Mapping[str, Callable[[Any], str]]
"""Interface or union → the type of an object of it."""


def connection_type(item: str) -> dict[str, Field]:
    """The fields of a connection of `item`s."""
    return {
        "nodes": Field(lambda page, _: page.items, item),
        "edges": Field(lambda page, _: list(zip(page.items, page.keys, strict=True)), f"{item}Edge"),
        "pageInfo": Field(lambda page, _: page, "PageInfo"),
        "totalCount": Field(lambda page, _: page.total),
    }


def edge_type(item: str) -> dict[str, Field]:
    """The fields of an edge to an `item`."""
    return {
        "node": Field(lambda edge, _: edge[0], item),
        "cursor": Field(lambda edge, _: encoded(edge[1])),
    }


PAGE_INFO = {
    "hasNextPage": Field(lambda page, _: page.has_next),
    "hasPreviousPage": Field(lambda page, _: page.has_previous),
    "startCursor": Field(lambda page, _: encoded(page.keys[0]) if page.keys else None),
    "endCursor": Field(lambda page, _: encoded(page.keys[-1]) if page.keys else None),
}


def encoded(key: Any) -> str:
    """A cursor, opaque as GitHub's are."""
    return base64.b64encode(f"cursor:v2:{json.dumps(key)}".encode()).decode()


def _decoded(cursor: str) -> Any:
    try:
        text = base64.b64decode(cursor, validate=True).decode()
        return json.loads(text.removeprefix("cursor:v2:"))
    except (binascii.Error, ValueError):
        raise _bad_cursor(cursor) from None


def _bad_cursor(cursor: str) -> Refused:
    return Refused("INVALID_CURSOR_ARGUMENTS", f"`{cursor}` does not appear to be a valid cursor.")


def execute(
    query: str, variables: Values, operation: str | None, types: Types, abstract: Abstract, root: Any
) -> dict[str, Any]:
    """The body of the answer: `data`, or `errors`, or both."""
    try:
        document = _parsed(query)
        return _Execution(document, variables, operation, types, abstract).run(root)
    except GraphQLError as error:
        return {"errors": [{"message": error.message, "locations": []}]}
    except Refused as refused:
        return {"errors": [refused.error]}


@lru_cache(maxsize=64)
def _parsed(query: str) -> DocumentNode:
    return parse(query)


_Plan = list[tuple[str, Field | None, dict[str, Any], SelectionSetNode | None]]


class _Execution:
    def __init__(
        self,
        document: DocumentNode,
        variables: Values,
        operation: str | None,
        types: Types,
        abstract: Abstract,
    ) -> None:
        self._types = types
        self._abstract = abstract
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        named = [
            each for each in operations if operation is None or (each.name and each.name.value == operation)
        ]
        if len(named) != 1:
            raise Refused("operationName", "An operation name is required")
        self._operation = named[0]
        self._variables = self._given(variables)
        self._plans: dict[tuple[int, str], _Plan] = {}
        self._errors: list[dict[str, Any]] = []

    def run(self, root: Any) -> dict[str, Any]:
        if self._operation.operation.value != "query":
            raise Refused("undefinedType", "The demo organisation cannot be changed")
        data = self._object(root, "Query", self._operation.selection_set, [])
        return {"data": data, **({"errors": self._errors} if self._errors else {})}

    def _given(self, variables: Values) -> dict[str, Any]:
        given = {}
        for definition in self._operation.variable_definitions:
            name = definition.variable.name.value
            if name in variables and variables[name] is not None:
                given[name] = variables[name]
            elif definition.default_value is not None:
                given[name] = value_from_ast_untyped(definition.default_value)
            elif isinstance(definition.type, ast.NonNullTypeNode):
                spelt = print_ast(definition.type)
                raise Refused(
                    "variableMismatch", f"Variable ${name} of type {spelt} was provided invalid value"
                )
            else:
                given[name] = None
        return given

    def _object(self, value: Any, type_: str, selections: SelectionSetNode, path: list[str | int]) -> Any:
        """What the selections make of an object."""
        type_ = self._abstract[type_](value) if type_ in self._abstract else type_
        plan = self._plans.get((id(selections), type_))
        if plan is None:
            plan = self._plans[id(selections), type_] = self._plan(selections, type_)
        found: dict[str, Any] = {}
        for key, field, arguments, below in plan:
            if field is None:
                found[key] = type_
                continue
            try:
                held = field.resolve(value, arguments)
                if isinstance(held, Connection):
                    held = _page(held, arguments)
            except Failed as failed:
                self._errors.append({"type": failed.kind, "path": [*path, key], "message": str(failed)})
                held = None
            if below is None or field.type is None or held is None:
                found[key] = held
            elif isinstance(held, list):
                found[key] = [
                    None if each is None else self._object(each, field.type, below, [*path, key, number])
                    for number, each in enumerate(held)
                ]
            else:
                found[key] = self._object(held, field.type, below, [*path, key])
        return found

    def _plan(self, selections: SelectionSetNode, type_: str) -> _Plan:
        """What to resolve of an object of `type_`."""
        plan: _Plan = []
        for node in selections.selections:
            if not self._is_included(node.directives):
                continue
            if isinstance(node, FieldNode):
                plan.append(self._planned(node, type_))
                continue
            if isinstance(node, FragmentSpreadNode):
                fragment = self._fragments.get(node.name.value)
                if fragment is None:
                    raise Refused(
                        "useAndDefineFragment", f"Fragment {node.name.value} was used, but not defined"
                    )
                condition, below = fragment.type_condition.name.value, fragment.selection_set
            else:
                assert isinstance(node, InlineFragmentNode)
                named = getattr(node.type_condition, "name", None)
                condition = named.value if named else type_
                below = node.selection_set
            if condition not in self._types and condition not in self._abstract:
                raise Refused(
                    "undefinedType", f"No such type {condition}, so it can't be a fragment condition"
                )
            if condition == type_ or condition in self._abstract:
                plan += self._plan(below, type_)
        return plan

    def _planned(
        self, node: FieldNode, type_: str
    ) -> tuple[str, Field | None, dict[str, Any], SelectionSetNode | None]:
        name = node.name.value
        key = node.alias.value if node.alias else name
        if name == "__typename":
            return key, None, {}, None
        field = self._types[type_].get(name)
        if field is None:
            raise Refused(
                "undefinedField",
                f"Field '{name}' doesn't exist on type '{type_}'",
                typeName=type_,
                fieldName=name,
            )
        for argument in node.arguments:
            if argument.name.value not in field.arguments:
                raise Refused(
                    "argumentNotAccepted", f"Field '{name}' doesn't accept argument '{argument.name.value}'"
                )
        if (field.type is None) != (node.selection_set is None):
            must = "must have" if field.type else "can't have"
            raise Refused("selectionMismatch", f"Field {must} selections (field '{name}')")
        arguments = {each.name.value: self._value(each.value) for each in node.arguments}
        if "first" in field.arguments:
            _check_size(name, arguments)
        return key, field, arguments, node.selection_set

    def _value(self, node: ast.ValueNode) -> Any:
        if isinstance(node, VariableNode) and node.name.value not in self._variables:
            raise Refused("variableNotDefined", f"Variable ${node.name.value} is used but not declared")
        return value_from_ast_untyped(node, self._variables)

    def _is_included(self, directives: Sequence[ast.DirectiveNode]) -> bool:
        for directive in directives:
            condition = self._value(directive.arguments[0].value)
            if condition is (directive.name.value == "skip"):
                return False
        return True


def _check_size(name: str, arguments: Values) -> None:
    size = arguments.get("first") or arguments.get("last")
    if size is None:
        raise Refused(
            "MISSING_PAGINATION_BOUNDARIES",
            f"You must provide a `first` or `last` value to properly paginate the `{name}` connection.",
        )
    if not 1 <= size <= MOST_ITEMS:
        raise Refused(
            "EXCESSIVE_PAGINATION",
            f"Requesting {size} records on the `{name}` connection exceeds the limit of {MOST_ITEMS}.",
        )


def _page(connection: Connection, arguments: Values) -> Page:
    """The page that `first`, `last`, `after` and `before` cut out of a connection."""
    keys = connection.keys
    after, before = arguments.get("after"), arguments.get("before")
    if connection.is_descending:
        after, before = before, after
    try:
        low = bisect_right(keys, _decoded(after)) if after else 0
        high = bisect_left(keys, _decoded(before)) if before else len(keys)
    except TypeError:
        raise _bad_cursor(str(after or before)) from None
    size = arguments.get("first") or arguments["last"]
    if (arguments.get("first") is None) == connection.is_descending:
        begin, end = low, min(low + size, max(high, low))
    else:
        begin, end = max(low, high - size), high
    items, page_keys = list(connection.items[begin:end]), list(keys[begin:end])
    has_later, has_earlier = end < len(keys), begin > 0
    if connection.is_descending:
        items.reverse()
        page_keys.reverse()
        has_later, has_earlier = has_earlier, has_later
    return Page(items, page_keys, len(keys), has_later, has_earlier)
