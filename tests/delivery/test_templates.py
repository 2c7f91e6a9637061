"""Templates: what they make, what they may not do, and that they have an end."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clave.delivery import templates
from clave.delivery.references import Reference, parse
from clave.errors import CannotDecrypt, ClaveError, NotFound, UsageError

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "cAnArY-s3cret"
SECRETS = {
    "db": b"p w'$x",
    "db#user": b"bob",
    "bytes": b"\xff\x00\xfe",
    "lines": b"one\ntwo\n",
    "canary": CANARY.encode(),
    "name": b"db",
    "b64": b"aGFs\nbG8=",
}


class Store:
    """Secrets, and what was asked for, a round after the other."""

    def __init__(self, secrets: dict[str, bytes] | None = None) -> None:
        self._secrets = {parse(name): value for name, value in (secrets or SECRETS).items()}
        self.rounds: list[list[str]] = []

    def look_up(self, asked: frozenset[Reference]) -> dict[Reference, bytes | ClaveError]:
        self.rounds.append(sorted(map(str, asked)))
        return {each: self._secrets.get(each) or self._problem(each) for each in asked}

    def _problem(self, reference: Reference) -> ClaveError:
        kind = CannotDecrypt if reference.name == "locked" else NotFound
        return kind(f"{reference.name} cannot be had")


def render(text: str, store: Store | None = None) -> bytes:
    return templates.render("t.j2", text, (store or Store()).look_up)


MADE = {
    "plain\n": b"plain\n",
    "a\r\n{{ 1 }}\r\n": b"a\r\n1\r\n",
    '{{ secret("db") }}': b"p w'$x",
    "{{ secret('clave://db#user') }}": b"bob",
    '{{ secret("bytes") }}': b"\xff\x00\xfe",
    '{{ secret("bytes") | b64 }}': base64.b64encode(b"\xff\x00\xfe"),
    '{{ secret("b64") | b64decode }}': b"hallo",
    '{{ secret("bytes") | b64 | b64decode | sha256 }}': hashlib.sha256(b"\xff\x00\xfe").hexdigest().encode(),
    '{{ {"p": secret("db"), "n": [1, true]} | json }}': b'{"p": "p w\'$x", "n": [1, true]}',
    '{{ secret("db") | yaml }}': b'"p w\'$x"',
    '{{ secret("db") | quote }}': rb"'p w'\''$x'",
    '{{ secret("db") | url }}': b"p%20w%27%24x",
    '{{ secret("bytes") | url }}': b"%FF%00%FE",
    'k: |\n  {{ secret("lines") | trim | indent(2) }}': b"k: |\n  one\n  two",
    '{% for n in ["db", "lines"] %}{{ secret(n) | length }}{{ loop.cycle("a", "b") }}{% endfor %}': b"6a8b",
    '{% if secret("db#user") == "bob" %}{{ secret("db") | upper }}{% endif %}': b"P W'$X",
    '{% macro f(x) %}[{{ x }}]{% endmacro %}{{ f(secret("db#user")) }}': b"[bob]",
    '{% set x = "a" %}{{ x ~ "<&>" }}{# note #}': b"a<&>",
    '{{ missing | default("x") }}': b"x",
    "{% raw %}{{ x }}{% endraw %}": b"{{ x }}",
    "{% for i in range(3) %}{{ i }}{% endfor %}": b"012",
}


@pytest.mark.parametrize("text", MADE)
def test_what_a_template_makes(text: str) -> None:
    assert render(text) == MADE[text]


def test_all_secrets_are_looked_up_at_once() -> None:
    store = Store()
    render('{{ secret("db") }}{{ secret("lines") | first }}{{ secret("db#user") }}{{ secret("db") }}', store)
    assert store.rounds[0] == ["db", "lines"]  # the first of no lines is undefined: no further that time
    store = Store()
    render('{{ secret("db") }}{% if false %}{{ secret("no") }}{% endif %}{{ secret("db#user") }}', store)
    assert store.rounds == [["db", "db#user"]]


def test_a_secret_may_decide_whether_another_is_asked_for() -> None:
    store = Store()
    assert render('{% if secret("db#user") == "bob" %}{{ secret("name") }}{% endif %}', store) == b"db"
    assert store.rounds == [["db#user"], ["name"]]


def test_what_is_only_asked_for_for_want_of_another_need_not_be_there() -> None:
    assert render('{% if secret("db#user") != "bob" %}{{ secret("no") }}{% endif %}') == b""


@pytest.mark.parametrize(
    ("text", "kind", "names"),
    [
        ('{{ secret("no") }}', NotFound, ["no"]),
        ('{{ secret("no") }}{{ secret("db") }}{{ secret("none") }}', NotFound, ["no", "none"]),
        ('{{ secret("no") }}{{ secret("locked") }}', CannotDecrypt, ["no", "locked"]),
        ('{{ secret("no") | b64 }}{{ secret("no") + 1 }}', NotFound, ["no"]),
    ],
)
def test_all_that_cannot_be_had_is_told_at_once(text: str, kind: type[ClaveError], names: list[str]) -> None:
    with pytest.raises(kind) as failure:
        render(text)
    told = " ".join([failure.value.line(), *failure.value.details])
    assert all(f"{name} cannot be had" in told for name in names)


WRONG = {
    "{{ x }}": "line 2: 'x' is undefined",
    "{{ (": "line 2: unexpected",
    "{% if %}": "line 2: ",
    "{% for x in 1 %}{% endfor %}": r"line 2: this cannot be done \(TypeError\)",
    '{{ secret("db") | nothing }}': "line 2: no filter named 'nothing'",
    "{{ secret(1) }}": r"line 2: secret\(\) takes a text",
    '{{ secret("../x") }}': "line 2: .*sneaky path",
    '{{ secret("a#b# ") }}': "line 2: 'a#b# ' does not name a field",
    '{{ secret("bytes") | json }}': "line 2: the value is no text, as the filter 'json' needs it",
    '{{ [secret("bytes")] | yaml }}': "line 2: the value is no text",
    '{{ secret("bytes") | quote }}': "line 2: the value has a NUL",
    '{{ secret("db") | b64decode }}': "line 2: the value is not base64",
    '{{ secret("db") | indent(99999999999) }}': "line 2: indent takes",
    '{% include "/etc/passwd" %}': "line 2: a template cannot read other files",
    '{% import "x" as y %}': "line 2: a template cannot read other files",
    '{% from "x" import y %}': "line 2: a template cannot read other files",
    '{% extends "x" %}': "line 2: a template cannot read other files",
    '{{ "".__class__.__mro__ }}': "line 2: a template may not use that",
    '{{ ""["__class__"] }}': "line 2: a template may not use that",
    '{{ secret.__globals__ }}': "line 2: a template may not use that",
    '{{ secret.__code__.co_consts }}': "line 2: a template may not use that",
    '{{ "" | attr("__class__") }}': "line 2: no filter named 'attr'",
    '{{ ["x"] | map("upper") | list }}': "line 2: no filter named 'map'",
    '{{ "{0.__class__}".format("") }}': "line 2: a template may not use that",
    '{{ "x".upper() }}': "line 2: a template may not use that",
    "{{ self.__init__ }}": "line 2: ",
    "{{ [].append(1) }}": "line 2: a template may not use that",
    "{{ namespace() }}": "line 2: a template may not use that",
    "{{ lipsum() }}": "line 2: a template may not use that",
    "{{ cycler.__init__ }}": "line 2: a template may not use that",
    "{% for i in range(2000) %}{{ secret('a' ~ i) }}{% endfor %}": "line 2: it asks for more than 1000 secrets",
    "{{ range(10000000) }}": r"line 2: this cannot be done \(OverflowError\)|needs too much memory",
    '{{ "a" * 10**10 }}': "needs too much memory",
    "{{ '%1000000000d' % 1 }}": "needs too much memory",
    "{% macro f(x) %}{{ f(x ~ x) }}{% endmacro %}{{ f('aaaa') }}": "needs too much memory|nested too deeply",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}": "nested too deeply",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}": "nested too deeply|needs too much memory",
    '{% set x = "a" * 999999 %}{% for i in range(99) %}{{ x }}{% endfor %}': "makes no end: .* or 16 MiB",
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_what_a_template_may_not_do(text: str) -> None:
    with pytest.raises(UsageError, match=WRONG[text]) as failure:
        render("line 1\n" + text)
    assert failure.value.message.startswith("t.j2")


def test_a_template_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "_SECONDS", 1)
    loop = "{% for i in range(99999) %}"
    with pytest.raises(UsageError, match="makes no end"):
        render(loop * 3 + "{% endfor %}" * 3)
    with pytest.raises(UsageError, match="makes no end"):
        render("{{ 9 ** (9 ** 9) }}")


LEAKING = [
    '{{ secret("canary") + 1 }}',
    '{{ {}[secret("canary")] }}',
    '{{ secret("canary")[secret("canary")] }}',
    '{{ secret("db")[secret("canary") | lower] }}',
    '{{ secret(secret("canary")) }}',
    '{{ secret("db/" ~ secret("canary")) }}',
    '{{ secret("../" ~ secret("canary")) }}',
    '{{ secret("db#" ~ secret("canary") | upper) }}',
    '{{ secret("canary") | int + none }}',
    '{{ range(secret("canary")) }}',
    '{{ secret("canary") | indent(secret("canary")) }}',
    '{{ secret("canary").nothing }}',
    '{{ secret("canary") | b64decode }}',
    '{{ secret("canary") % 1 }}',
]


@pytest.mark.parametrize("text", LEAKING)
def test_no_error_shows_what_came_out_of_a_secret(text: str) -> None:
    with pytest.raises(ClaveError) as failure:
        render(text)
    told = " ".join([failure.value.line(), *failure.value.details]).lower()
    assert CANARY.lower() not in told
    assert "\x1b" not in told


def test_what_is_no_template_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no template"):
        templates.read(f"{tmp_path}/none")
    with pytest.raises(UsageError, match="not a file"):
        templates.read(f"{tmp_path}")
    (tmp_path / "large").write_bytes(b"x" * ((1 << 20) + 1))
    with pytest.raises(UsageError, match="larger than 1024 KiB"):
        templates.read(f"{tmp_path}/large")
    (tmp_path / "latin").write_bytes(b"a\n\xe9")
    with pytest.raises(UsageError, match="line 2: it is not UTF-8"):
        templates.read(f"{tmp_path}/latin")


@given(value=st.binary(min_size=1, max_size=60))
@settings(max_examples=25, deadline=None)
def test_values_go_through_as_they_are(value: bytes) -> None:
    store = Store({"a": value})
    parts = render(
        '{{ secret("a") | b64 }} {{ secret("a") | url }} {{ secret("a") | sha256 }} {{ secret("a") }}', store
    )
    encoded, url, digest, plain = parts.split(b" ", 3)
    assert base64.b64decode(encoded) == unquote_to_bytes(url) == plain == value
    assert digest.decode() == hashlib.sha256(value).hexdigest()


@given(value=st.text(min_size=1, max_size=40).filter(lambda text: "\0" not in text and not _has_surrogates(text)))
@settings(max_examples=25, deadline=None)
def test_quoted_values_are_read_back(value: str) -> None:
    import yaml

    store = Store({"a": value.encode()})
    text = '{{ secret("a") | json }}\n{{ secret("a") | yaml }}\n{{ secret("a") | quote }}'
    as_json, as_yaml, word = render(text, store).split(b"\n", 2)
    assert json.loads(as_json) == yaml.safe_load(as_yaml) == value
    done = subprocess.run(["dash", "-c", b'printf "%s" ' + word], capture_output=True, check=True)
    assert done.stdout == value.encode()


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in text)
