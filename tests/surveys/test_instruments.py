"""Questionnaires: what a file may say, and what it may change once people have been asked."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from surveys import languages
from surveys.form.answers import MOST_CHARACTERS
from surveys.instrument_files import SHIPPED, InstrumentError, load, load_folder, shipped
from surveys.instruments import Instrument, Item
from surveys.succession import check_succession
from tests.surveys.released import released

OWN = """\
id: ours
version: 1
minutes: 1
title: {en: Ours, de: Unsere}
scales:
  yes-no:
    kind: rating
    low: 0
    high: 1
    labels: {0: {en: "No", de: Nein}, 1: {en: "Yes", de: Ja}}
constructs:
  oncall: {title: {en: On call, de: Bereitschaft}, score: top2, source: Our own}
items:
  - id: oncall-sleep
    version: 1
    construct: oncall
    scale: yes-no
    direction: positive
    label: {en: Sleep, de: Schlaf}
    text: {en: "Did you sleep?", de: "Hast du geschlafen?"}
pages:
  - title: {en: One, de: Eins}
    items: [oncall-sleep, ai-use]
  - title: {en: Two, de: Zwei}
    items: [ai-help, improve-one]
"""
SEVEN = {"kind": "rating", "low": 1, "high": 7, "labels": {1: {"en": "a"}, 7: {"en": "b"}}}


def written(folder: Path, text: str) -> Path:
    path = folder / "ours.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_stored_copy_is_the_questionnaire() -> None:
    for instrument in shipped().values():
        assert Instrument.model_validate_json(instrument.model_dump_json()) == instrument


def test_the_core_bank_covers_the_constructs() -> None:
    core = shipped()["core"]
    scores = {name: construct.score for name, construct in core.constructs.items()}
    assert scores == {
        "satisfaction": "top2",
        "ease_of_delivery": "top2",
        "feedback_loops": "top2",
        "flow": "top2",
        "cognitive_load": "top2",
        "documentation": "top2",
        "platform_usability": "umux_lite",
        "platform_recommendation": "nps",
        "ai": "top2",
        "ai_use": "none",
        "improvement": "none",
    }
    assert [item.id for item in core.items if item.is_comment] == ["improve-one"]
    assert {item.construct_id for item in core.items if item.direction == "negative"} == {
        "flow", "cognitive_load"
    }  # fmt: skip


def test_a_pulse_takes_two_minutes() -> None:
    # A question takes some ten seconds and an open one thirty.
    pulse = shipped()["pulse"]
    everyone = [item for item in pulse.items if item.show_if is None]
    assert sum(30 if item.is_comment else 10 for item in everyone) <= pulse.minutes * 60 + 10


def test_every_text_is_in_every_language() -> None:
    assert languages.known() == ("en", "de")
    for instrument in shipped().values():
        assert instrument.languages == ("en", "de")
    fields = [
        {
            key: {name for _, name, _, _ in string.Formatter().parse(text) if name}
            for key, text in each.items()
        }
        for each in map(languages.words, languages.known())
    ]
    assert fields[0] == fields[1]


def test_a_questionnaire_of_one_s_own_adds_to_the_bank(tmp_path: Path) -> None:
    written(tmp_path, OWN)
    ours = load_folder(tmp_path)["ours"]
    assert [item.id for item in ours.items] == ["oncall-sleep", "ai-use", "ai-help", "improve-one"]
    assert set(ours.constructs) == {"oncall", "ai_use", "ai", "improvement"}
    asked = ours.item("oncall-sleep")
    assert asked is not None
    assert asked.scale is not None
    assert list(asked.scale.values) == [0, 1]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("version: 1\nminutes", "versoin: 1\nminutes", "2: versoin: Extra inputs"),
        ("minutes: 1", "minutes: 1\nminutes: 2", "4: `minutes` is given twice"),
        ("low: 0", "low: 1", "6: scales.yes-no: a scale has from 2 to 11 points"),
        ("0: {en:", "5: {en:", "6: scales.yes-no: `labels` are for the two ends"),
        ("kind: rating", "kind: recommendation", "6: scales.yes-no: a scale of recommendation runs"),
        ('en: "No"', "en: No", "10: scales.yes-no.labels.0.en: Input should be a valid string. Put"),
        ("  yes-no:", "  agreement:", "6: scales.agreement: is the bank's"),
        ("scale: yes-no", "scale: yes_no", "17: items[0].scale: there is no scale `yes_no`"),
        ("construct: oncall", "construct: pager", "16: items[0].construct: there is no construct `pager`"),
        ("id: oncall-sleep", "id: ai-help", "14: items[0].id: `ai-help` is taken"),
        ("id: oncall-sleep", "id: Schlaf gut", "14: items[0].id: String should match"),
        ("direction: positive", "direction: neutral", "18: items[0].direction: is `neutral`"),
        ("    scale: yes-no\n", "", "16: items[0].construct: is scored, and an open question"),
        ("[oncall-sleep, ai-use]", "[oncall-sleep, oncall]", "23: pages[0].items[1]: there is no item"),
        ("[ai-help, improve", "[ai-use, ai-help, improve", "25: pages[1].items[0]: `ai-use` is asked"),
        ("[oncall-sleep, ai-use]", "[oncall-sleep]", "`ai-help` depends on `ai-use`, which no"),
        ("ai-help, improve-one", "ai-help", "24: pages[1]: nothing on the last page is asked of everyone"),
        (", de: Schlaf}", "}", "4: title: the label of `oncall-sleep` has no text in de"),
        ("de: Unsere}", "fr: Les nôtres}", "4: title.fr: the form does not speak `fr`. Write it in"),
        ("improve-one]", "improve-one, platform-easy]", "`platform_usability` is a UMUX-Lite, which"),
        (
            "    label: {en: Sl",
            "    show_if: {item: improve-one, in: [1]}\n    label: {en: Sl",
            "`oncall-sleep` depends on `improve-one`, which no earlier page asks",
        ),
        (
            "    label: {en: Sl",
            "    replaces: ai-use\n    label: {en: Sl",
            "`oncall-sleep` replaces `ai-use`, which is asked too",
        ),
        ("pages:\n", "pages: [\n", "expected"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_line_and_mend(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert OWN.count(old) == 1
    path = written(tmp_path, OWN.replace(old, new))
    with pytest.raises(InstrumentError) as caught:
        load(path)
    text = str(caught.value)
    assert said in text
    for line in text.splitlines():
        place, _, rest = line.removeprefix(f"{path}:").partition(": ")
        assert place.isdecimal()
        assert rest.endswith(".")
        assert ". " in rest


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a: \x00", b"- 1", b"", b"id: 2026-99-99", b"a: [" * 2000])
def test_what_is_no_questionnaire_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.yaml").write_bytes(content)
    with pytest.raises(InstrumentError, match=r"x\.yaml:1: "):
        load(tmp_path / "x.yaml")
    with pytest.raises(InstrumentError, match="No such file"):
        load(tmp_path / "y.yaml")


def test_two_files_may_not_have_one_id(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(OWN, "utf-8")
    with pytest.raises(InstrumentError, match=r"b\.yaml:1: id: `ours` is another file's"):
        load_folder(tmp_path)


def changed(instrument: Instrument, item_id: str, **update: Any) -> Instrument:
    """A copy in which one item says something else."""
    data = instrument.model_dump()
    item = next(each for page in data["pages"] for each in page["items"] if each["id"] == item_id)
    item.update(update)
    return Instrument.model_validate(data)


def test_what_was_asked_is_asked_again_unchanged() -> None:
    pulse, core = shipped()["pulse"], shipped()["core"]
    assert check_succession([pulse, core], pulse) == []
    assert check_succession([], core) == []


@pytest.mark.parametrize(
    ("update", "said"),
    [
        ({"construct_id": "satisfaction"}, "its construct changed. Give the new question another id"),
        ({"direction": "negative"}, "its direction changed"),
        ({"dont_know": False}, "its choice of no answer (`dont_know`) changed"),
        ({"show_if": {"item": "ai-use", "in": [1]}}, "its condition (`show_if`) changed"),
        ({"scale": None}, "its scale changed"),
        ({"scale": SEVEN}, "its scale changed"),
        ({"text": {"en": "Other words", "de": "Andere Worte"}}, "give it another id, with `replaces: docs"),
        ({"hint": {"en": "Think of last week", "de": "Denk an letzte Woche"}}, "its words changed"),
    ],
)  # fmt: skip
def test_a_change_under_an_old_id_is_refused(update: dict[str, Any], said: str) -> None:
    core = shipped()["core"]
    reused = changed(core, "docs-find", **update)
    # In another questionnaire, too: the item is the same wherever it is asked.
    for later in (reused, reused.model_copy(update={"id": "ours"})):
        refused = check_succession([core], later)
        assert any(line.startswith("docs-find: ") and said in line for line in refused)


def test_a_scale_s_labels_are_the_scale() -> None:
    core = shipped()["core"]
    item = core.item("docs-find")
    assert item is not None
    assert item.scale is not None
    scale = item.scale.model_dump()
    scale["labels"][4]["en"] = "Mostly agree"
    assert "its scale changed" in check_succession([core], changed(core, "docs-find", scale=scale))[0]


def test_a_mended_wording_needs_a_version_and_a_language_none() -> None:
    core = shipped()["core"]
    item = core.item("docs-find")
    assert item is not None
    mended = item.text | {"en": "When I look something up in our docs, I find it."}
    newer = changed(core, "docs-find", text=mended, version=2).model_copy(update={"version": 2})
    assert check_succession([core], newer) == []
    assert check_succession([newer], core) == [
        "core: version 2 has been asked already. Raise its version above that.",
        "docs-find: its version 2 has been asked already. Raise its version above that.",
    ]
    assert check_succession([core], changed(core, "docs-find", text=item.text | {"fr": "…"})) == []


def test_another_choice_of_questions_needs_a_version() -> None:
    core = shipped()["core"]
    fewer = core.model_copy(update={"pages": core.pages[1:]})
    assert check_succession([core], fewer) == ["core: it is not what version 1 was. Raise its version."]


def test_a_score_belongs_to_its_construct() -> None:
    core = shipped()["core"]
    data = core.model_dump()
    data["constructs"]["flow"]["score"] = "none"
    refused = check_succession([core], Instrument.model_validate(data))
    assert refused == ["construct flow: its score was `top2`. Give the new one another id."]


def test_the_shipped_questionnaires_keep_to_what_was_released() -> None:
    now = shipped()
    assert [line for each in now.values() for line in check_succession(released().values(), each)] == []

    def versions(instruments: Mapping[str, Instrument]) -> set[tuple[str, int]]:
        items: list[Item | Instrument] = [item for each in instruments.values() for item in each.items]
        return {(each.id, each.version) for each in [*items, *instruments.values()]}

    unlocked = versions(now) - versions(released())
    assert not unlocked, "lock what is new: `python -m tests.surveys.released`"


def test_a_comment_fits_the_seal() -> None:
    # Four bytes a character at most, and a sealed submission has room for 24 000.
    open_questions = max(sum(item.is_comment for item in each.items) for each in shipped().values())
    assert open_questions * MOST_CHARACTERS * 4 < 24_000


def test_the_package_holds_its_texts() -> None:
    assert {path.name for path in SHIPPED.glob("*")} == {
        "bank.yaml", "core.yaml", "event-pulse.yaml", "pulse.yaml"
    }  # fmt: skip


def test_the_manual_s_example_works_and_all_keys_are_in_it(tmp_path: Path) -> None:
    manual = (Path(__file__).parents[2] / "docs" / "questionnaires.md").read_text("utf-8")
    example = manual.partition("```yaml\n")[2].partition("```")[0]
    assert load(written(tmp_path, example)).item("on-call-sleep")
    rows = re.findall(r"^\| (`.*?) \| ", manual, re.MULTILINE)
    described = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
    assert described == {field.alias or name for name, field in Item.model_fields.items()}
