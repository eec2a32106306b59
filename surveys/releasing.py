"""From a closed wave's answers to what is released of it, once: scrubbed, counted, audited."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

from pydantic import JsonValue

from surveys import disclosure
from surveys.disclosure import Cell
from surveys.instruments import Instrument
from surveys.released import Released, released
from surveys.scrubbing import Scrubber
from surveys.store import Answer, Invited, Store, Wave
from surveys.themes import themes_of

Row = Mapping[str, JsonValue]


def close(
    store: Store,
    wave_id: str,
    names: Iterable[str],
    progress: Callable[[str], None] = lambda _step: None,
) -> Iterator[str]:
    """Close a wave and release it in one, naming each step that is done.

    `names` are how the people of the roster are called; comments are stripped of them. Raises
    `disclosure.Breach` where the audit finds anything, and what `Store.closing` raises; then nothing is
    released, and closing again begins anew.
    """
    wave = store.wave(wave_id)
    earlier = [
        disclosure.Released(
            each.wave.id, _invited(store.invited(each.wave.id)), _cells(each), each.wave.minimum_group
        )
        for each in released(store)
        if each.wave.opens_at < wave.opens_at and each.wave.state == "released"
    ]
    scrubber = Scrubber(names)

    def compute(answers: Sequence[Answer]) -> list[Row]:
        return _rows(wave, store.invited(wave_id), answers, earlier, scrubber, progress)

    yield from store.closing(wave_id, compute)


def _rows(
    wave: Wave,
    invited: Sequence[Invited],
    answers: Sequence[Answer],
    earlier: Sequence[disclosure.Released],
    scrubber: Scrubber,
    progress: Callable[[str], None],
) -> list[Row]:
    instrument = Instrument.model_validate_json(wave.instrument)
    open_items = tuple(item.id for item in instrument.items if item.is_comment)
    measured = disclosure.Wave(
        id=wave.id,
        measures=disclosure.measures_of(instrument),
        invited=_invited(invited),
        respondents=[_respondent(answer, open_items, scrubber) for answer in answers],
        minimum_group=wave.minimum_group,
        comment_group=wave.comment_group,
        comment_items=open_items,
    )
    result = disclosure.release(measured, earlier, progress=progress)
    return [
        *({"kind": "cell", **asdict(cell)} for cell in result.cells),
        *({"kind": "comment", **asdict(comment)} for comment in result.comments),
        {"kind": "withheld", "comments": result.comments_withheld},
        *({"kind": "driver", **asdict(drivers)} for drivers in result.drivers),
    ]


def _respondent(answer: Answer, open_items: tuple[str, ...], scrubber: Scrubber) -> disclosure.Respondent:
    values = {item: value for item, value in answer.values.items() if isinstance(value, int | str)}
    comments = [str(values[item]) for item in open_items if item in values]
    for item in open_items:
        if item in values:
            values[item] = scrubber.clean(str(values[item]))
    return disclosure.Respondent(
        _cohort(answer.cohort.team_path, answer.cohort.tier, answer.cohort.role),
        values,
        frozenset(theme for comment in comments for theme in themes_of(comment)),
    )


def _invited(invited: Iterable[Invited]) -> list[disclosure.Invited]:
    return [
        disclosure.Invited(each.person, _cohort(each.team_path, each.tier, each.role), each.is_used)
        for each in invited
    ]


def _cohort(team_path: tuple[str, ...], tier: str | None, role: str | None) -> disclosure.Cohort:
    return disclosure.Cohort((team_path,), tier, role)


def _cells(wave: Released) -> list[Cell]:
    return [
        Cell.from_json({name: value for name, value in row.items() if name != "kind"})
        for row in wave.of("cell")
    ]
