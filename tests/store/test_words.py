"""Words to compare by voice: the same for ever, and never those of something else."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clave.store.passwords import eff_words
from clave.store.trust import words

patient = settings(deadline=None, suppress_health_check=list(HealthCheck))  # of a loaded machine
COMMIT, HASH, KEY = "0123456789abcdef0123456789abcdef01234567", "ab" * 32, "0123456789ABCDEF0123456789ABCDEF01234567"


def test_they_are_the_same_for_ever() -> None:
    assert words.of_genesis(COMMIT, HASH) == "preplan-evacuate-rotunda-juiciness-snowfield-contort-stand-twister"
    assert words.of_key(KEY) == "foe-path-quake-jigsaw-fancy-astute-earthly-jogger"
    assert words.of_head(COMMIT) == "affirm-circus-frivolous-alarm"


def test_the_list_is_the_same_for_ever() -> None:
    assert len(eff_words()) == 7776
    assert (
        sha256("\n".join(eff_words()).encode()).hexdigest()
        == "abae49761b88f3f1ba31ef944bea1f61b795a3cd7e1cfb7d276ed45bf77967ba"
    )


def test_what_has_the_same_text_has_other_words_if_it_is_another_thing() -> None:
    heads = words.of_head(COMMIT), words.of_key(COMMIT), words.of_genesis(COMMIT, "")
    starts = {"-".join(each.split("-")[:4]) for each in heads}
    assert len(starts) == 3


def test_every_digit_counts() -> None:
    before = words.of_genesis(COMMIT, HASH)
    assert words.of_genesis(COMMIT[:-1] + "8", HASH) != before
    assert words.of_genesis(COMMIT, HASH[:-1] + "c") != before
    # What stands where the commit ends and the hash begins is not a matter of taste.
    assert words.of_genesis(COMMIT + HASH[:2], HASH[2:]) != before


def test_how_hex_is_spelled_does_not_matter() -> None:
    assert words.of_key(KEY.lower()) == words.of_key(KEY)
    assert words.of_head(COMMIT.upper()) == words.of_head(COMMIT)


@patient
@given(st.lists(st.sampled_from(eff_words()), min_size=1, max_size=8), st.data())
def test_how_words_are_typed_does_not_matter(chosen: list[str], data: st.DataObject) -> None:
    typed = "".join(
        word.replace("-", data.draw(st.sampled_from((" ", "-", ""))))
        + data.draw(st.sampled_from(("-", " ", " - ", "\n")))
        for word in (data.draw(st.sampled_from((str.upper, str.title, str)))(word) for word in chosen)
    )
    assert words.same(typed, "-".join(chosen))


@patient
@given(st.text(), st.text())
def test_other_words_are_not_the_same(one: str, other: str) -> None:
    letters = [[c for c in text.casefold() if not c.isspace() and c != "-"] for text in (one, other)]
    assert words.same(one, other) == (letters[0] == letters[1])
