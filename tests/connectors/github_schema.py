"""GitHub's public GraphQL schema, cut down to what Cairn's queries use.

    python -m tests.connectors.github_schema schema.graphql

writes the copy from `schema.graphql` of the npm package `@octokit/graphql-schema` (MIT).
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    get_named_type,
    parse,
    visit,
)

from connectors.github import queries as github_queries

COPY = Path(__file__).parents[1] / "data" / "specs" / "github.graphql"


def queries() -> dict[str, str]:
    """Name → text of every query."""
    fixed = {
        name: text
        for name, text in vars(github_queries).items()
        if name.isupper() and not name.startswith("_") and isinstance(text, str)
    }
    return fixed | {f"repositories({labels})": github_queries.repositories(labels) for labels in range(3)}


def schema(path: Path = COPY) -> GraphQLSchema:
    """The schema in a file."""
    return build_schema(path.read_text(), assume_valid_sdl=True)


class _Used(Visitor):
    """Collects what queries use of a schema."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self._info = info
        self.fields: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        """Type → field → arguments."""
        self.types: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        parent, field = self._info.get_parent_type(), self._info.get_field_def()
        if parent is None or field is None or node.name.value.startswith("__"):
            return
        arguments = self.fields[parent.name][node.name.value]
        arguments |= {each.name.value for each in node.arguments}
        arguments |= {name for name, each in field.args.items() if str(each.type).endswith("!")}
        self.types.add(get_named_type(field.type).name)
        self.types |= {get_named_type(field.args[name].type).name for name in arguments}

    def enter_inline_fragment(self, *_: object) -> None:
        on = self._info.get_type()
        if on is not None:
            self.types.add(get_named_type(on).name)


def stripped(full: GraphQLSchema) -> str:
    """The part of a schema that the queries use, as text."""
    info = TypeInfo(full)
    used = _Used(info)
    for text in queries().values():
        visit(parse(text), TypeInfoVisitor(info, used))
    names = used.types | set(used.fields)
    kinds = [full.type_map[name] for name in sorted(names)]
    for kind in kinds:
        if isinstance(kind, GraphQLInterfaceType) and not used.fields[kind.name]:
            # No type is without fields; all of these have an id.
            used.fields[kind.name]["id"] = set()
    for kind in kinds:
        if isinstance(kind, GraphQLInputObjectType):
            names |= {get_named_type(each.type).name for each in kind.fields.values()}
        if isinstance(kind, GraphQLObjectType):
            for interface in kind.interfaces:
                for field, arguments in used.fields[interface.name].items():
                    used.fields[kind.name][field] |= arguments
                    names.add(get_named_type(kind.fields[field].type).name)
    printed = (_printed(full.type_map[name], used, names) for name in sorted(names))
    return "\n\n".join(filter(None, printed)) + "\n"


def _printed(kind: GraphQLNamedType, used: _Used, names: set[str]) -> str:
    if isinstance(kind, GraphQLEnumType):
        return f"enum {kind.name} {{ {' '.join(kind.values)} }}"
    if isinstance(kind, GraphQLInputObjectType):
        return f"input {kind.name} {{ {' '.join(f'{n}: {each.type}' for n, each in kind.fields.items())} }}"
    if isinstance(kind, GraphQLUnionType):
        return f"union {kind.name} = {' | '.join(each.name for each in kind.types if each.name in names)}"
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        word = "type" if isinstance(kind, GraphQLObjectType) else "interface"
        interfaces = [each.name for each in kind.interfaces if each.name in names]
        lines = []
        for field, arguments in sorted(used.fields.get(kind.name, {}).items()):
            definition = kind.fields[field]
            taken = [f"{name}: {each.type}" for name, each in definition.args.items() if name in arguments]
            given = f"({', '.join(taken)})" if taken else ""
            lines.append(f"  {field}{given}: {definition.type}")
        implements = f" implements {' & '.join(interfaces)}" if interfaces else ""
        return f"{word} {kind.name}{implements} {{\n" + "\n".join(lines) + "\n}"
    return "" if kind.name in {"String", "Int", "Boolean", "ID", "Float"} else f"scalar {kind.name}"


if __name__ == "__main__":
    COPY.parent.mkdir(parents=True, exist_ok=True)
    COPY.write_text(stripped(schema(Path(sys.argv[1]))))
