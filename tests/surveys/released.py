"""The questionnaires as they were last released: `python -m tests.surveys.released` writes them anew."""

from __future__ import annotations

from pathlib import Path

from surveys.instrument_files import shipped
from surveys.instruments import Instrument

FILE = Path(__file__).with_name("released.jsonl")


def released() -> dict[str, Instrument]:
    """By id, from the checked-in copy."""
    found = map(Instrument.model_validate_json, FILE.read_text("utf-8").splitlines())
    return {instrument.id: instrument for instrument in found}


if __name__ == "__main__":
    FILE.write_text("".join(f"{each.model_dump_json()}\n" for each in shipped().values()), "utf-8")
