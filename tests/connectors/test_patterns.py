"""Names that patterns pick."""

from __future__ import annotations

import pytest

from connectors.patterns import is_wanted


@pytest.mark.parametrize(
    ("name", "patterns", "wanted"),
    [
        ("shop", ["*"], True),
        ("Shop", ["shop"], True),
        ("shop", ["Sh?p"], True),
        ("shop-api", ["shop"], False),
        ("shop-api", ["site", "shop-*"], True),
        ("sandbox-1", ["*", "!sandbox-*"], False),
        ("sandbox-1", ["!sandbox-*", "*"], False),
        ("shop", ["!sandbox-*"], True),
        ("Sandbox-1", ["!sandbox-*"], False),
        ("shop", [], False),
    ],
)
def test_a_name_is_wanted_unless_a_pattern_keeps_it_out(name: str, patterns: list[str], wanted: bool) -> None:
    assert is_wanted(name, patterns) is wanted
