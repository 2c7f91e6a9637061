"""Stars in place of secrets: what is hidden, in whatever chunks it comes, and that nothing else is touched or late."""

from __future__ import annotations

import base64
import itertools
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clave.delivery.masking import SHORTEST, STARS, Masker, forms

KEY = b"-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n}\n-----END KEY-----\n"


def masked(values: list[bytes], *chunks: bytes) -> bytes:
    masker = Masker(values)
    return b"".join([*map(masker.feed, chunks), masker.end()])


def naive(values: list[bytes], text: bytes) -> bytes:
    """Hide each occurrence of each form, one look at each place: what the masker has to be equal to."""
    hidden = [False] * len(text)
    for form in {form for value in values for form in forms(value)}:
        for at in range(len(text) - len(form) + 1):
            if text[at : at + len(form)] == form:
                hidden[at : at + len(form)] = [True] * len(form)
    out = b""
    for is_hidden, run in itertools.groupby(range(len(text)), lambda at: hidden[at]):
        out += STARS if is_hidden else bytes(text[at] for at in run)
    return out


def as_go(text: str) -> str:
    """Write JSON text as Go does."""
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def cut(data: bytes, places: list[int]) -> list[bytes]:
    borders = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:stop] for start, stop in itertools.pairwise(borders)]


few = st.text("ab=\n ", min_size=0, max_size=12).map(str.encode)
any_value = st.one_of(few, st.binary(max_size=40), st.text(max_size=20).map(str.encode))


@st.composite
def outputs(draw: st.DrawFn) -> tuple[list[bytes], bytes]:
    """Secrets, and an output that holds them, parts of them and other things."""
    values = draw(st.lists(any_value, min_size=1, max_size=4))
    parts = draw(st.lists(st.tuples(st.sampled_from(values), st.integers(0, 12), st.integers(1, 60), any_value)))
    return values, b"".join(value[start:stop] + other for value, start, stop, other in parts)


@given(made=outputs(), places=st.lists(st.integers(0, 10_000), max_size=8))
def test_it_is_what_a_naive_search_would_do_however_it_is_cut(
    made: tuple[list[bytes], bytes], places: list[int]
) -> None:
    values, text = made
    assert masked(values, *cut(text, places)) == naive(values, text)
    assert masked(values, *(text[at : at + 1] for at in range(len(text)))) == naive(values, text)


@given(made=outputs(), places=st.lists(st.integers(0, 10_000), max_size=8), pauses=st.lists(st.booleans(), max_size=9))
def test_pauses_show_three_bytes_of_a_secret_at_most(
    made: tuple[list[bytes], bytes], places: list[int], pauses: list[bool]
) -> None:
    values, text = made
    masker = Masker(values)
    out = b""
    for chunk, pause in itertools.zip_longest(cut(text, places), pauses, fillvalue=False):
        out += masker.feed(chunk or b"") + (masker.pause() if pause else b"")
    out += masker.end()
    # What a naive search shows is there, in its order, and more only where a pause has shown a beginning.
    everything = iter(out)
    assert all(byte in everything for byte in naive(values, text).replace(STARS, b""))
    if True not in pauses:
        assert out == naive(values, text)
    for form in {form for value in values for form in forms(value) if b"*" not in form}:
        for part in (form[:SHORTEST], form):
            assert part not in out or part in naive(values, text), part


@given(made=outputs())
def test_nothing_is_held_back_that_is_not_the_beginning_of_a_secret(made: tuple[list[bytes], bytes]) -> None:
    values, text = made
    masker = Masker(values)
    shown = masker.feed(text)
    everything = shown + masker.end()
    held = everything[len(shown) :]
    beginnings = {form[:length] for value in values for form in forms(value) for length in range(1, len(form))}
    pieces = any(len(form) > 64 for value in values for form in forms(value))
    assert everything.startswith(shown)
    assert pieces or STARS in held or not held or any(text.endswith(beginning) for beginning in beginnings)
    if not any(text.endswith(beginning) for beginning in beginnings) and not pieces:
        assert shown == naive(values, text)


@given(value=st.binary(min_size=SHORTEST, max_size=100), before=st.binary(max_size=9), after=st.binary(max_size=9))
def test_base64_is_hidden_wherever_the_value_stands_in_it(value: bytes, before: bytes, after: bytes) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + value + after)
        out = masked([value], text)
        assert STARS in out or len(value.strip()) < SHORTEST
        if len(value.strip()) == len(value):
            left = out.replace(STARS, b"")
            assert len(left) <= len(encode(before)) + len(encode(after)) + 4


@pytest.mark.parametrize(
    "text",
    [
        b"%s",
        b"a%sb",
        b"%s%s" % (b"%s", b"hunter2 /+?&\"'\\<\xc3\xa9>"),
    ],
)
@pytest.mark.parametrize(
    "encode",
    [
        lambda value: value,
        base64.b64encode,
        base64.urlsafe_b64encode,
        lambda value: base64.b64encode(value).rstrip(b"="),
        lambda value: base64.encodebytes(value * 1).rstrip(),
        lambda value: quote(value).encode(),
        lambda value: quote(value, safe="").encode(),
        lambda value: quote(value, safe="").lower().encode(),
        lambda value: quote_plus(value).encode(),
        lambda value: json.dumps(value.decode())[1:-1].encode(),
        lambda value: json.dumps(value.decode(), ensure_ascii=False)[1:-1].encode(),
        lambda value: json.dumps(value.decode())[1:-1].replace("/", "\\/").encode(),
        lambda value: as_go(json.dumps(value.decode(), ensure_ascii=False)[1:-1]).encode(),
    ],
)  # fmt: skip
def test_a_value_is_hidden_in_each_of_its_forms(encode: object, text: bytes) -> None:
    value = b"hunter2 /+?&\"'\\<\xc3\xa9>"
    out = masked([value], text.replace(b"%s", encode(value)))  # type: ignore[operator]
    assert out.replace(STARS, b"") == text.replace(b"%s", b"").replace(value, b"")


def test_each_line_of_a_value_is_hidden_but_short_ones() -> None:
    assert masked([KEY], KEY) == STARS
    assert masked([KEY], KEY.replace(b"\n", b"\r\n")) == b"********\r\n********\r\n********\r\n}\r\n********\r\n"
    assert masked([KEY], b"x MIIEvQIBADANBgkq y } z") == b"x ******** y } z"


def test_a_long_value_is_hidden_in_lines_of_base64() -> None:
    value = bytes(range(256))
    assert masked([value], base64.encodebytes(value)).strip(b"*\n") == b""
    text = base64.b64encode(value)
    lines = b"\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    assert masked([value], lines).strip(b"*\n") == b""


def test_values_that_overlap_are_both_hidden() -> None:
    assert masked([b"abcdefgh", b"efghijkl"], b"-abcdefghijkl-") == b"-********-"
    assert masked([b"abcdef", b"abcdefghij"], b"abcdefghij abcdefgh") == b"******** ********gh"


def test_it_says_how_many_are_too_short() -> None:
    assert Masker([b"", b"short", b"five5\n", b"longer", b"    a     "]).too_short == 3
    assert masked([b"short", b"      "], b"short      short") == b"short      short"


def test_what_cannot_become_a_secret_is_not_held_back() -> None:
    masker = Masker([b"secret-value"])
    assert masker.feed(b"Password: ") == b"Password: "
    assert masker.feed(b"the sec") == b"the "
    assert masker.feed(b"ond") == b"second"


def test_what_is_typed_is_seen_and_a_secret_typed_slowly_is_not() -> None:
    masker = Masker([b"secret-value"])
    assert masker.feed(b"s") == b""
    assert masker.holds
    assert masker.pause() == b"s"
    assert not masker.holds
    out = b""
    for byte in b"ecret-value!":
        out += masker.feed(bytes([byte])) + masker.pause()
    assert out + masker.end() == b"ec********!"


def test_a_pause_shows_nothing_of_a_secret_that_may_be_a_longer_one() -> None:
    masker = Masker([b"secret", b"secret-value"])
    assert masker.feed(b"a secret") + masker.pause() == b"a ********"
    assert masker.feed(b"-") + masker.pause() == b""
    assert masker.feed(b"x") + masker.end() == b"-x"


def test_large_values_and_many_take_no_quadratic_time() -> None:
    """What would take hours if each place were compared with all of a value."""
    value = b"a" * 300_000 + b"b"
    assert masked([value], b"a" * 300_000 + b"c").endswith(b"c")
