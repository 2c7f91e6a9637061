"""References and templates: what they mean, and what they never do."""

from __future__ import annotations

import base64
import json
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clave.delivery.references import Reference, Template, parse
from clave.errors import UsageError
from clave.model.name import check


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("db", Reference("db")),
        ("a/b", Reference("a/b")),
        ("a//b", Reference("a/b")),
        ("a/b#user", Reference("a/b", "user")),
        ("a/b#my field", Reference("a/b", "my field")),
        ("a/b#*", Reference("a/b", "*")),
        ("a#b#c", Reference("a#b", "c")),
        ("50%25", Reference("50%25")),
        ("prod:db", Reference("prod:db")),
        ("clave://a/b", Reference("a/b")),
        ("CLAVE://a/b", Reference("a/b")),
        ("clave://a/b#user", Reference("a/b", "user")),
        ("clave://a%23b#c%20d", Reference("a#b", "c d")),
        ("clave://a%3Fb", Reference("a?b")),
        ("clave://%C3%A9", Reference("é")),
        ("clave://user@host/x", Reference("user@host/x")),
    ],
)
def test_what_a_reference_means(text: str, meant: Reference) -> None:
    assert parse(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "/etc/passwd",
        "a/../../b",
        "..",
        "a/./b",
        ".git/config",
        "-x",
        "a/",
        "a\nb",
        "a\0b",
        "a#x\ny",
        "a" * 5000,
        "clave://",
        "clave:///etc/passwd",
        "clave://#user",
        "clave://a#",
        "clave://a/%2e%2e/b",
        "clave://%2Fetc/passwd",
        "clave://a%2F..%2F..%2Fb",
        "clave://a%0Ab",
        "clave://a%00",
        "clave://a%zz",
        "clave://a%",
        "clave://a?store=other",
        "clave://.git/config",
        "clave://other://x",
        "op://vault/item",
        "https://example.org",
        "file:///etc/passwd",
    ],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


names = st.text(min_size=1, max_size=30).filter(lambda text: "/" not in text)


@given(st.lists(names, min_size=1, max_size=4), st.one_of(st.none(), st.text(min_size=1, max_size=20)))
def test_what_is_parsed_can_be_written_as_a_uri(parts: list[str], field: str | None) -> None:
    try:
        reference = Reference(check("/".join(parts)), field)
    except (UsageError, UnicodeEncodeError):
        return
    if field is not None and (not field.strip() or not field.isprintable()):
        return
    assert parse(reference.uri) == reference


@given(st.text(max_size=60))
def test_whatever_is_taken_is_a_name_of_an_entry(text: str) -> None:
    try:
        reference = parse(text)
    except UsageError:
        return
    assert check(reference.name) == reference.name
    assert ".." not in reference.name.split("/")


USER, PASSWORD = Reference("db", "user"), Reference("db")


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("", b""),
        ("plain", b"plain"),
        ("{db#user}:{db}", b"me:p/w {x}"),
        ("{db|url}", b"p%2Fw%20%7Bx%7D"),
        ("{db|json}", b'"p/w {x}"'),
        ("{db|b64}", base64.b64encode(b"p/w {x}")),
        ("{db|b64|url}", b"cC93IHt4fQ%3D%3D"),
        ("{{db}}", b"{db}"),
        ("{{{db#user}}}", b"{me}"),
        ("{clave://db#user}", b"me"),
        ("é{{", "é{".encode()),
    ],
)
def test_a_template_is_filled(text: str, made: bytes) -> None:
    assert Template(text).fill({USER: b"me", PASSWORD: b"p/w {x}"}) == made


@pytest.mark.parametrize(
    "text", ["{", "}", "{db", "db}", "{}", "{a{b}}", "{db|sh}", "{db|}", "{../x}", "{db#user}}", "{|url}"]
)
def test_what_is_no_template(text: str) -> None:
    with pytest.raises(UsageError):
        Template(text)


def test_a_value_that_is_no_text_is_no_json() -> None:
    with pytest.raises(UsageError, match="db is no text"):
        Template("{db|json}").fill({PASSWORD: b"\xff"})


@given(st.binary(max_size=50), st.text(max_size=20))
def test_a_value_is_put_in_once_and_as_it_is(value: bytes, around: str) -> None:
    try:
        side = around.encode()
    except UnicodeEncodeError:
        return
    escaped = around.replace("{", "{{").replace("}", "}}")
    assert Template(f"{escaped}{{db}}{escaped}").fill({PASSWORD: value}) == side + value + side
    assert unquote_to_bytes(Template("{db|url}").fill({PASSWORD: value})) == value
    assert base64.b64decode(Template("{db|b64}").fill({PASSWORD: value})) == value
    if not any(each >= 0x80 for each in value):
        assert json.loads(Template("{db|json}").fill({PASSWORD: value})).encode() == value
