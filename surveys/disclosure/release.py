"""What of a closed wave is released, and the audit of it all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from surveys.disclosure.cells import RESPONSE, cells_of, is_tabled, response_cells, rolled_up
from surveys.disclosure.comments import placed
from surveys.disclosure.comparing import compared
from surveys.disclosure.history import History
from surveys.disclosure.isolation import Ints, isolated, tells
from surveys.disclosure.measures import Measure
from surveys.disclosure.question import Question, Shown
from surveys.disclosure.records import Breach, Cell, Release, Released, Wave
from surveys.disclosure.scores import drivers_of
from surveys.disclosure.suppression import thinned
from surveys.disclosure.tables import Tables, tables_of


def release(
    wave: Wave, earlier: Sequence[Released] = (), *, progress: Callable[[str], None] = lambda _: None
) -> Release:
    """Decide what may be shown of a wave beside the `earlier` ones, oldest first; and audit it.

    `progress` is told the measure at work. Raises Breach when the audit finds one, and ValueError for a
    roster that the answers don't fit, or on which a team has two parents.
    """
    tables = tables_of(wave)
    invited, answered = _invited(wave, tables), _answered(wave, tables)
    responses = _responses(wave, tables, tables.ranked(invited))
    base = _base(wave, tables, responses)
    totals = tables.members @ answered
    cells = response_cells(wave.id, tables, tables.members @ invited, totals, set(responses))
    empty = {
        index
        for index, total in enumerate(tables.members @ invited)
        if not total or (index in responses and not totals[index])
    }
    for measure in _measures(wave):
        progress(measure.id)
        question = _question(wave, tables, measure, base, earlier)
        cells += cells_of(wave.id, question, question.decide(), empty, _dont_know(wave, tables, measure))
    cells = compared(rolled_up(cells, tables), earlier)
    progress("audit")
    if breaches := audit(wave, cells, earlier):
        raise Breach("\n".join(breaches))
    comments, withheld = placed(wave, tables)
    return Release(tuple(cells), comments, withheld, (drivers_of(wave),))


def audit(wave: Wave, cells: Sequence[Cell], earlier: Sequence[Released] = ()) -> list[str]:
    """What is wrong with releasing these cells, all together and after the earlier waves; [] when nothing is.

    Judged by the cells as they are, whoever made them: which groups show a figure, and that a cell that
    shows none holds none.
    """
    tables = tables_of(wave)
    breaches = [
        f"{cell.item_id} of {cell.table} {cell.group!r} is {cell.status} and has figures."
        for cell in cells
        if cell.status != "ok" and not _is_blank(cell)
    ]
    at = {group: index for index, group in enumerate(tables.groups)}
    ok: dict[tuple[str, str], set[int]] = {}
    for cell in cells:
        if cell.status == "ok":
            ok.setdefault((cell.item_id, cell.statistic), set()).add(at[cell.where])
    responses = _ranked(tables, _invited(wave, tables), ok.pop((RESPONSE, RESPONSE), set()))
    kept = _responses(wave, tables, responses)
    breaches += _lost(tables, RESPONSE, responses, kept)
    base = _base(wave, tables, kept)
    for measure in _measures(wave):
        question = _question(wave, tables, measure, base, earlier)
        primary, secondary = (
            _ranked(tables, question.sizes, ok.pop((measure.id, statistic or ""), set()))
            for statistic in (measure.primary, measure.secondary)
        )
        may = question.reduced(Shown(tuple(primary), tuple(secondary)))
        breaches += _lost(tables, measure.id, primary, may.primary)
        breaches += _lost(tables, measure.id, secondary, may.secondary)
    return breaches + [f"{item} is no measure with a {statistic} in this wave." for item, statistic in ok]


def _lost(tables: Tables, item: str, shown: Sequence[int], may: Sequence[int]) -> list[str]:
    lost = (tables.groups[group] for group in shown if group not in may)
    return [f"{item} of {table} {name!r} would tell of too few people." for table, name in lost]


def _is_blank(cell: Cell) -> bool:
    figures = (
        cell.value,
        cell.n,
        cell.low,
        cell.high,
        cell.counts,
        cell.deviation,
        cell.dont_know,
        cell.comparison,
    )
    return all(figure is None for figure in figures)


def _measures(wave: Wave) -> list[Measure]:
    """The wave's own, and one for each theme of its comments."""
    themes = sorted(frozenset().union(*(respondent.themes for respondent in wave.respondents)))
    return [*wave.measures, *(Measure(theme, "theme", "theme", ()) for theme in themes)]


def _invited(wave: Wave, tables: Tables) -> Ints:
    return tables.count(person.cohort for person in wave.invited)


def _answered(wave: Wave, tables: Tables) -> Ints:
    return tables.count(respondent.cohort for respondent in wave.respondents)


def _dont_know(wave: Wave, tables: Tables, measure: Measure) -> Ints:
    """How many in each group chose not to answer it."""
    by_cohort = tables.count(each.cohort for each in wave.respondents if measure.is_dont_know(each.values))
    return tables.members @ by_cohort


def _ranked(tables: Tables, sizes: Ints, groups: Sequence[int] | set[int]) -> list[int]:
    return [group for group in tables.ranked(sizes) if group in groups]


def _responses(wave: Wave, tables: Tables, groups: Sequence[int]) -> list[int]:
    """The groups of which it may be told how many were invited and answered."""
    return _without_isolation(tables, _invited(wave, tables), groups, wave.minimum_group)


def _base(wave: Wave, tables: Tables, responses: Sequence[int]) -> list[int]:
    """Those of which anything may be told of those who answered."""
    answered = _answered(wave, tables)
    return _without_isolation(tables, answered, _ranked(tables, answered, responses), wave.minimum_group)


def _without_isolation(tables: Tables, sizes: Ints, groups: Sequence[int], k: int) -> list[int]:
    atoms = sizes > 0
    members = tables.members[:, atoms]
    return thinned(
        [group for group in groups if members[group] @ sizes[atoms] >= k],
        lambda some: isolated(members[list(some)], sizes[atoms], k),
        lambda some, people: tells(members[list(some)], people),
    )


def _question(
    wave: Wave, tables: Tables, measure: Measure, base: Sequence[int], earlier: Sequence[Released]
) -> Question:
    position = {cohort: index for index, cohort in enumerate(tables.cohorts)}
    answers = np.zeros((len(position), measure.categories), dtype=np.int64)
    for respondent in wave.respondents:
        category = measure.category(respondent.values, respondent.themes)
        if category is not None:
            answers[position[respondent.cohort], category] += 1
    return Question(
        measure,
        tables,
        answers,
        _answered(wave, tables),
        [group for group in base if is_tabled(measure, tables.groups[group])],
        History.of(measure, earlier, wave.invited, tables.groups, wave.minimum_group),
        wave.minimum_group,
        wave.comment_group,
    )
