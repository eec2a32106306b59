"""Names that a query may give: what is published knows which there are."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from dashboards.api import asked
from pipelines.warehouse import Snapshot

_MOST_TOLD = 60


def check(snapshot: Snapshot, parameter: str, given: Sequence[str], known: str) -> None:
    """Raise `Problem` for names that are not among those of the query `known`, saying which are near."""
    if not given:
        return
    names = sorted({str(name) for (name,) in snapshot.tuples(known)})
    wrong = [name for name in given if name not in names]
    if wrong:
        raise asked.refusal([unknown(parameter, name, names) for name in wrong])


def unknown(parameter: str, name: str, names: Sequence[str]) -> dict[str, str]:
    """An error of a problem, for a name that is not among `names`."""
    told = names if len(names) <= _MOST_TOLD else get_close_matches(name, names, 5) or names[:5]
    mend = f"{'There are' if len(told) == len(names) else 'Did you mean'} {', '.join(told)}"
    return {"parameter": parameter, "detail": "is not known", "mend": mend if told else "There is none yet"}


def among(column: str, given: Sequence[str]) -> tuple[str, dict[str, object]]:
    """A condition that the column has one of these values, which without any is none; its parameters."""
    if not given:
        return "true", {}
    params = {f"{column}_{number}": value for number, value in enumerate(dict.fromkeys(given))}
    return f"{column} in ({', '.join(f'${name}' for name in params)})", dict(params)
