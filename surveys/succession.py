"""What a questionnaire may not change of those that were asked before it: else a trend would lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from surveys.instruments import Instrument, Item, Text


def check_succession(earlier: Iterable[Instrument], new: Instrument) -> list[str]:
    """Why `new` may not be asked after the waves that asked `earlier`, a line each; none if it may.

    Items are compared by id over all questionnaires. A language may be added at any time.
    """
    found = (line for old in earlier for line in _refusals(old, new))
    return list(dict.fromkeys(found))


def _refusals(old: Instrument, new: Instrument) -> Iterator[str]:
    if old.id == new.id:
        if new.version < old.version:
            yield f"{new.id}: version {old.version} has been asked already. Raise its version above that."
        elif new.version == old.version and _is_reworked(old, new):
            yield f"{new.id}: it is not what version {old.version} was. Raise its version."
    for name, construct in new.constructs.items():
        before = old.constructs.get(name)
        if before and before.score != construct.score:
            yield f"construct {name}: its score was `{before.score}`. Give the new one another id."
    for item in new.items:
        if asked := old.item(item.id):
            yield from _changes(asked, item)


def _is_reworked(old: Instrument, new: Instrument) -> bool:
    def asked(instrument: Instrument) -> list[list[tuple[str, int]]]:
        return [[(item.id, item.version) for item in page.items] for page in instrument.pages]

    return asked(old) != asked(new)


def _changes(old: Item, new: Item) -> Iterator[str]:
    changed = [
        words
        for words, before, now in (
            ("construct", old.construct_id, new.construct_id),
            ("direction", old.direction, new.direction),
            ("condition (`show_if`)", old.show_if, new.show_if),
            ("choice of no answer (`dont_know`)", old.dont_know, new.dont_know),
        )
        if before != now
    ]
    if _is_another_scale(old, new):
        changed.insert(0, "scale")
    if changed:
        yield (
            f"{new.id}: its {' and '.join(changed)} changed. "
            f"Give the new question another id, with `replaces: {new.id}`."
        )
    if new.version < old.version:
        yield f"{new.id}: its version {old.version} has been asked already. Raise its version above that."
    elif new.version == old.version and (
        _is_reworded(old.text, new.text)
        or (old.hint is None) != (new.hint is None)
        or _is_reworded(old.hint or {}, new.hint or {})
    ):
        yield (
            f"{new.id}: its words changed. If they mean the same, raise its version; "
            f"if not, give it another id, with `replaces: {new.id}`."
        )


def _is_another_scale(old: Item, new: Item) -> bool:
    if old.scale is None or new.scale is None:
        return old.scale is not new.scale
    before, now = old.scale, new.scale
    return (before.kind, before.low, before.high, before.labels.keys()) != (
        now.kind, now.low, now.high, now.labels.keys()
    ) or any(_is_reworded(words, now.labels[value]) for value, words in before.labels.items())  # fmt: skip


def _is_reworded(old: Text, new: Text) -> bool:
    return any(new[language] != words for language, words in old.items() if language in new)
