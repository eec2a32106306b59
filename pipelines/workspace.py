"""The workspace: what to read, for whom and by which calendar, from one YAML file.

docs/workspace.md describes every setting. Every error names the file, the line, the key and the mend.
"""

from __future__ import annotations

import os
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import connectors
from connectors.connector import Options
from pipelines import annotation_settings, platform_settings, secret_settings
from pipelines.annotation_settings import AnnotationConfig, Level
from pipelines.config_file import (
    NOT_A_GROUP,
    ConfigFile,
    ConfigProblem,
    Location,
    suggestion,
)
from pipelines.listed_settings import entries_of, named_in, taken_entry, validated_entries, words
from pipelines.message_settings import AlertsConfig, DigestConfig
from pipelines.platform_settings import PlatformConfig
from pipelines.setting_types import Name, Settings
from pipelines.settings import (
    PUSH,
    CalendarConfig,
    ProductionConfig,
    ServiceConfig,
    SourceConfig,
    TakenFrom,
    TeamConfig,
    Workspace,
)
from pipelines.sign_in_settings import SignInConfig
from pipelines.survey_settings import SurveysConfig

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.connector import Connector

__all__ = [
    "DEFAULT_FILE",
    "PUSH",
    "CalendarConfig",
    "ConfigProblem",
    "Name",
    "ProductionConfig",
    "ServiceConfig",
    "SignInConfig",
    "SourceConfig",
    "SurveysConfig",
    "TakenFrom",
    "TeamConfig",
    "Workspace",
    "WorkspaceError",
    "find",
    "load",
    "load_sign_in",
]

DEFAULT_FILE = Path("cairn.yaml")

PATTERN_OPTIONS = ("releases",)
"""Options of a source that the SQL models use as RE2 patterns, whatever the connector."""

Item = TypeVar("Item")


class WorkspaceError(Exception):
    """The workspace cannot be used; `str()` is one line for each problem, without secrets."""

    def __init__(self, problems: Sequence[ConfigProblem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.file, problem.line or 0))
        super().__init__("\n".join(map(str, self.problems)))


def find(option: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The workspace file to load: `option`, else `CAIRN_WORKSPACE`, else `cairn.yaml` here, else None.

    Where a folder without a `cairn.yaml` is named, that folder.

    Raises `WorkspaceError` where one is named that does not exist.
    """
    named = option
    said_by = "it was named by -w/--workspace"
    if named is None and environ.get("CAIRN_WORKSPACE"):
        named = Path(environ["CAIRN_WORKSPACE"])
        said_by = "it was named by the environment variable CAIRN_WORKSPACE"
    if named is None:
        return DEFAULT_FILE if os.path.lexists(DEFAULT_FILE) else None
    named = named.expanduser()
    if not named.exists():
        mend = f"Correct the path, make the file, or leave it out: then {DEFAULT_FILE} here is read"
        raise _single_problem(named, f"there is no such file; {said_by}", mend)
    return inside if (inside := named / DEFAULT_FILE).is_file() else named


def load(path: Path, environ: Mapping[str, str]) -> Workspace:
    """The workspace in the file at `path`, with `${NAME}` taken from `environ` or the `.env` beside it.

    Of a folder: the git repository it is in, alone. Raises `WorkspaceError` with everything that is wrong.
    """
    if path.is_dir():
        return _standing_in(path)
    file = ConfigFile(path, environ)
    workspace = None
    if file.data is not None:
        sources = _sources(file, file.data)
        teams = _taken(file, "teams", "team", sources) or _found(validated_entries(file, "teams", TeamConfig))
        services = _taken(file, "services", "service", sources) or _found(
            validated_entries(file, "services", ServiceConfig)
        )
        _check_names(file, "teams", words(file, "teams", "name"))
        _check_names(file, "services", words(file, "services", "name"))
        _check_teams(file)
        _check_production(file)
        surveys = _surveys(file, sources)
        platform = _platform(file)
        parts = {
            "sources": _found(sources),
            "services": services,
            "teams": teams,
            "platform": platform,
            "surveys": surveys,
            "sign_in": _sign_in(file),
            "annotations": _annotations(file, platform),
            **_messages(file),
        }
        workspace = file.validated(Workspace, {**file.data, **parts}, ())
    if workspace is None or file.problems:
        raise WorkspaceError(file.problems)
    return workspace


def load_sign_in(path: Path, environ: Mapping[str, str]) -> SignInConfig | None:
    """The settings `sign_in` alone, for a server that needs no other's secrets.

    Raises `WorkspaceError` where the file cannot tell whether there is any.
    """
    if path.is_dir():
        return None
    file = ConfigFile(path, environ)
    sign_in = _sign_in(file)
    if problems := [each for each in file.problems if each.key.partition(".")[0] in {"", "sign_in"}]:
        raise WorkspaceError(problems)
    return sign_in


def _standing_in(directory: Path) -> Workspace:
    mend = (
        f"Run this in a git repository, or make a {DEFAULT_FILE} with the lines "
        "`organisation: NAME` and `sources: [{kind: git, repositories: [PATH-OR-URL]}]`"
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        git = subprocess.run(
            ["git", "-C", directory, "rev-parse", "--show-toplevel"],
            env=environ | {"LC_ALL": "C"},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except FileNotFoundError:
        raise _single_problem(directory, "git cannot be run", "Install git and put it on the PATH") from None
    if git.returncode:
        words = git.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise _single_problem(directory, f"there is no workspace here, and git says: {words}", mend)
    top = Path(os.fsdecode(git.stdout.removesuffix(b"\n")))
    options = connectors.connector_type("git").options_type.model_validate({"repositories": (str(top),)})
    source = SourceConfig(kind="git", name="git", options=options)
    return Workspace(organisation=top.name or str(top), sources=(source,))


def _single_problem(file: Path, message: str, mend: str) -> WorkspaceError:
    return WorkspaceError([ConfigProblem(str(file), None, "", message, mend)])


def _found(entries: Sequence[Item | None]) -> tuple[Item, ...]:
    return tuple(entry for entry in entries if entry is not None)


def _taken(
    file: ConfigFile, key: str, stream: str, sources: Sequence[SourceConfig | None]
) -> TakenFrom | None:
    """The setting `{from: SOURCE}` of a list, or None where it is a list, or wrong."""
    entry = taken_entry(file, key)
    taken = None if entry is None else file.validated(TakenFrom, entry, (key,), known=["from"])
    if taken is None:
        return None
    mend = f"such as one of kind backstage, or list the {key} here"
    _check_source(file, (key, "from"), taken.source, sources, (stream, key, mend))
    return taken


def _check_source(
    file: ConfigFile,
    location: Location,
    name: str,
    sources: Sequence[SourceConfig | None],
    wanted: tuple[str, str, str],
) -> None:
    """Refuse a source that is not there, or that lacks a stream: `wanted` is the stream, its word, a mend."""
    stream, word, mend = wanted
    named = words(file, "sources", "name"), words(file, "sources", "kind")
    known = [said for name, kind in zip(*named, strict=True) if (said := name or kind)]
    if name not in known:
        mend = f"{suggestion(name, known)}Name one of `sources`: {', '.join(known)}"
        file.add(location, f"there is no source `{name}`", mend)
    for source in _found(sources):
        if source.name == name:
            streams = connectors.connector_type(source.kind).streams_of(source.options)
            if stream not in streams:
                file.add(
                    location, f"the source `{name}` tells of no {word}", f"Name a source that does, {mend}"
                )


def _surveys(file: ConfigFile, sources: Sequence[SourceConfig | None]) -> SurveysConfig:
    value = (file.data or {}).get("surveys", {})
    secret_settings.check(file, SurveysConfig, value, ("surveys",))
    context = {"folder": file.path.absolute().parent}
    surveys = file.validated(SurveysConfig, value, ("surveys",), context=context)
    if surveys and surveys.roster and surveys.roster.source:
        mend = "such as one of kind backstage or github, or a `file`"
        location = ("surveys", "roster", "from")
        _check_source(
            file, location, surveys.roster.source, sources, ("membership", "members of teams", mend)
        )
    return surveys or SurveysConfig()


def _messages(file: ConfigFile) -> dict[str, Settings | None]:
    """The settings `digest` and `alerts`, those of them that are there; None in the place of wrong ones."""
    models: dict[str, type[Settings]] = {"digest": DigestConfig, "alerts": AlertsConfig}
    found: dict[str, Settings | None] = {}
    for key, model in models.items():
        if key in (file.data or {}):
            value = (file.data or {})[key]
            secret_settings.check(file, model, value, (key,))
            found[key] = file.validated(model, value, (key,))
    return found


def _sign_in(file: ConfigFile) -> SignInConfig | None:
    value = (file.data or {}).get("sign_in")
    if value is None:
        if "sign_in" in (file.data or {}):
            file.add(("sign_in",), "has no value", "Write its settings below it, or remove the line")
        return None
    secret_settings.check(file, SignInConfig, value, ("sign_in",))
    return file.validated(SignInConfig, value, ("sign_in",))


def _sources(file: ConfigFile, data: Mapping[str, Any]) -> list[SourceConfig | None]:
    entries = entries_of(file, "sources")
    if not entries and isinstance(data.get("sources", []), list):
        file.add(("sources",), "names nothing to read", "Add `- {kind: git, repositories: [PATH-OR-URL]}`")
    sources = [_source(file, entry, ("sources", i)) for i, entry in enumerate(entries)]
    names = zip(
        words(file, "sources", "name"),
        words(file, "sources", "kind"),
        strict=True,
    )
    # Each has a folder of its name, and some file systems take `Git` and `git` for one.
    _check_names(file, "sources", [(name or kind or "").casefold() or None for name, kind in names])
    return sources


def _source(file: ConfigFile, entry: Any, location: Location) -> SourceConfig | None:
    if not isinstance(entry, dict):
        file.add(location, *NOT_A_GROUP)
        return None
    kind = entry.get("kind")
    head = {"name": kind, **{key: entry[key] for key in ("kind", "name") if key in entry}}
    if not isinstance(kind, str):
        head["name"] = "unnamed"
    connector = _connector(file, kind, (*location, "kind")) if isinstance(kind, str) else None
    options: Options | None = None
    if connector is not None:
        model = connector.options_type
        settings = {key: value for key, value in entry.items() if key not in ("kind", "name")}
        secret_settings.check(file, model, entry, location)
        for key in set(PATTERN_OPTIONS) & model.model_fields.keys() & settings.keys():
            _check_pattern(file, settings[key], (*location, key))
        options = file.validated(
            model,
            settings,
            location,
            known=["kind", "name", *model.model_fields],
            context={"folder": file.path.absolute().parent},
        )
    source = file.validated(SourceConfig, {**head, "options": options or Options()}, location)
    return source if options else None


def _connector(file: ConfigFile, kind: str, location: Location) -> type[Connector] | None:
    try:
        return connectors.connector_type(kind)
    except KeyError:
        known = connectors.kinds()
        mend = f"{suggestion(kind, known)}Known here: {', '.join(known)}"
        file.add(location, f"there is no connector for `{kind}`", mend)
    except Exception as error:  # noqa: BLE001 - an installed package may fail in any way
        message = f"its connector cannot be loaded: {type(error).__name__}: {error}"
        file.add(location, message, "Mend or remove the package that brings it")
    return None


def _check_pattern(file: ConfigFile, pattern: object, location: Location) -> None:
    problem = _re2_problem(pattern) if isinstance(pattern, str) else None
    if problem:
        mend = "Correct the pattern; it is RE2, which has no look-around and no back-references"
        file.add(location, f"is not a pattern: {problem}", mend)


def _platform(file: ConfigFile) -> PlatformConfig:
    section = (file.data or {}).get("platform", {})
    platform = file.validated(PlatformConfig, section, ("platform",))
    if platform is None:
        return PlatformConfig()
    for _, placed in platform.rules():
        if placed.rule.kind == "step":
            _check_pattern(file, placed.rule.pattern, (*placed.location, "step"))
    platform_settings.check(file, platform)
    return platform


def _annotations(file: ConfigFile, platform: PlatformConfig) -> tuple[AnnotationConfig, ...]:
    annotations = validated_entries(file, "annotations", AnnotationConfig)
    known: dict[Level, list[str]] = {"capability": [one.name for one in platform.capabilities]}
    lists: tuple[tuple[str, Level], ...] = (("teams", "team"), ("services", "service"))
    for key, level in lists:
        # Without services of its own, every repository is one.
        if taken_entry(file, key) is None and (level == "team" or entries_of(file, key)):
            known[level] = [name for name in words(file, key, "name") if name]
    annotation_settings.check(file, annotations, known)
    return _found(annotations)


def _check_production(file: ConfigFile) -> None:
    production = file.data.get("production") if file.data else None
    for key in ProductionConfig.model_fields:
        patterns = production.get(key) if isinstance(production, dict) else None
        for number, pattern in enumerate(patterns if isinstance(patterns, list) else []):
            _check_pattern(file, pattern, ("production", key, number))


@lru_cache
def _re2_problem(pattern: str) -> str | None:
    """What DuckDB, which matches by it, says against the pattern."""
    import duckdb

    with duckdb.connect(":memory:") as database:
        try:
            database.execute("select regexp_matches('', ?)", [pattern]).fetchall()
        except duckdb.Error as error:
            return str(error).removeprefix("Invalid Input Error: ")
    return None


def _check_names(file: ConfigFile, key: str, names: Sequence[str | None]) -> None:
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if name is not None and first.setdefault(name, index) != index:
            mend = "Give each a `name` of its own"
            file.add((key, index, "name"), f"`{name}` is taken by {key}[{first[name]}]", mend)


def _check_teams(file: ConfigFile) -> None:
    """Every team that is named exists, and none is above itself."""
    teams, parents = (
        words(file, "teams", "name"),
        words(file, "teams", "parent"),
    )
    parts = (
        () if taken_entry(file, "teams") else (("services", "team"), ("teams", "parent"), ("goals", "team"))
    )
    for location, team in [named for key, field in parts for named in named_in(file, key, field)]:
        if team not in teams:
            known = [name for name in teams if name]
            mend = suggestion(team, known) + f"Add `- name: {team}` to `teams`, or correct the name"
            file.add(location, f"there is no team `{team}`", mend)
    above = {name: parent for name, parent in zip(teams, parents, strict=True) if name}
    told: set[str] = set()
    for index, start in enumerate(teams):
        chain: list[str] = []
        name = start
        while name is not None and name not in chain:
            chain.append(name)
            name = above.get(name)
        if name is not None and name == start and name not in told:
            told.update(chain)
            circle = " → ".join([*chain, name])
            file.add(("teams", index, "parent"), f"goes in a circle: {circle}", "Remove one of these parents")
