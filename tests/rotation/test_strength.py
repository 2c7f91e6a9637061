"""The estimate of a typed password: never above what a generator of it had, and low for what people think of."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clave.rotation.strength import estimate
from clave.store.passwords import eff_words

WORDS = frozenset(eff_words())
PRINTED = "".join(map(chr, range(33, 127)))


@given(password=st.text(PRINTED, max_size=40))
def test_it_is_at_most_what_a_random_choice_of_all_characters_has(password: str) -> None:
    assert 0 <= estimate(password.encode(), WORDS) <= len(password) * math.log2(95) + 1e-6


@given(chosen=st.lists(st.sampled_from(sorted(WORDS)), min_size=1, max_size=8), between=st.sampled_from(" -_."))
def test_words_are_worth_a_choice_from_their_list(chosen: list[str], between: str) -> None:
    text = between.join(chosen)
    most = len(chosen) * math.log2(len(WORDS)) + math.log2(95) * 2 * (len(chosen) - 1)
    assert estimate(text.encode(), WORDS) <= most + 1e-6


@pytest.mark.parametrize(
    ("password", "most"),
    [
        ("", 0),
        ("aaaaaaaaaaaaaaaaaaaaaaaa", 30),
        ("abcdefghijklmnop", 25),
        ("Passw0rd2024!", 25),
        ("qwerty123", 15),
        ("hunter2", 20),
        ("correct horse battery staple", 64),
        ("ÄÄÄÄÄÄÄÄ", 20),
    ],
)
def test_what_people_think_of_is_weak(password: str, most: float) -> None:
    assert estimate(password.encode(), WORDS) <= most


@pytest.mark.parametrize("password", ["x7Gq-2pLm_v9", "9f86d081884c7d659a2feaa0c55ad015", "kV!4zQ#9wL@2"])
def test_what_nobody_thinks_of_is_strong(password: str) -> None:
    assert estimate(password.encode(), WORDS) > 60


def test_any_bytes_have_one() -> None:
    assert estimate(b"\xff\x00\xfe" * 5, WORDS) > 0
    assert estimate(b"x7Gq-2pLm_v9" * 1000, WORDS) < 12_000
