"""What is sealed: of one size, for one wave, opened by its key alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.errors import KeysGone, SealBroken, TooLong
from surveys.keys import WaveKeys
from surveys.sealing import CAPACITY, key_pair, lock, seal, unlock, unseal

PRIVATE, PUBLIC = key_pair()
KEY = bytes(32)
TEXT = st.text(st.characters(), max_size=200)
CONTENT = st.dictionaries(TEXT, TEXT | st.integers() | st.none() | st.lists(TEXT, max_size=3), max_size=5)


@given(CONTENT)
def test_whatever_is_sealed_comes_out_the_same(content: dict[str, str]) -> None:
    sealed, locked = seal(PUBLIC, "q1", content), lock(KEY, "q1", content)
    assert unseal(PRIVATE, "q1", sealed) == unlock(KEY, "q1", locked) == content
    assert len(sealed) == len(seal(PUBLIC, "q1", {}))
    assert len(locked) == len(lock(KEY, "q1", {}))


def test_the_order_of_keys_is_not_kept() -> None:
    assert [*unseal(PRIVATE, "q1", seal(PUBLIC, "q1", {"b": 1, "a": 2}))] == ["a", "b"]


def test_sealed_twice_looks_different() -> None:
    assert seal(PUBLIC, "q1", {}) != seal(PUBLIC, "q1", {})
    assert lock(KEY, "q1", {}) != lock(KEY, "q1", {})


def test_what_fills_the_capacity_fits_and_no_byte_more() -> None:
    fits = {"a": "x" * (CAPACITY - len('{"a":""}'))}
    assert unseal(PRIVATE, "q1", seal(PUBLIC, "q1", fits)) == fits
    with pytest.raises(TooLong):
        seal(PUBLIC, "q1", {"a": fits["a"] + "x"})


def test_another_wave_key_or_byte_opens_nothing() -> None:
    sealed, locked = seal(PUBLIC, "q1", {"a": 1}), lock(KEY, "q1", {"a": 1})
    altered = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for private, wave, box in [
        (PRIVATE, "q2", sealed),
        (key_pair()[0], "q1", sealed),
        (PRIVATE, "q1", altered),
    ]:
        with pytest.raises(SealBroken):
            unseal(private, wave, box)
    for key, wave in [(KEY, "q2"), (b"1" * 32, "q1")]:
        with pytest.raises(SealBroken):
            unlock(key, wave, locked)


def test_a_token_is_256_bits_and_needs_both_keys(tmp_path: Path) -> None:
    keys, others = WaveKeys(tmp_path / "q1"), WaveKeys(tmp_path / "q2")
    keys.create()
    others.create()
    token = keys.tokens()("someone")
    assert len(token) == 43
    assert token == keys.tokens()("someone")
    assert len({token, keys.tokens()("another"), others.tokens()("someone")}) == 3
    assert keys.marks()(token) != others.marks()(token)
    assert keys.partial_key(token) not in {keys.marks()(token), others.partial_key(token)}


def test_destroyed_keys_are_gone_with_all_beside_them(tmp_path: Path) -> None:
    keys = WaveKeys(tmp_path / "q1")
    keys.create()
    (keys.folder / "journal.jsonl").write_text("who was sent what")
    same_file = tmp_path / "linked"
    same_file.hardlink_to(keys.folder / "sealing.key")
    private = keys.sealing
    keys.destroy()
    keys.destroy()
    assert not keys.folder.exists()
    assert len(same_file.read_bytes()) == 32
    assert same_file.read_bytes() != private  # overwritten, not only unlinked
    with pytest.raises(KeysGone):
        keys.tokens()


def test_a_damaged_key_is_said_to_be_damaged(tmp_path: Path) -> None:
    keys = WaveKeys(tmp_path / "q1")
    keys.create()
    (keys.folder / "token.key").write_bytes(b"short")
    with pytest.raises(KeysGone, match="5 bytes instead of 32"):
        keys.tokens()
