"""Every format, read back by the program that reads it: the same bytes, or a refusal."""

from __future__ import annotations

import os
import re
import subprocess
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clave.delivery import names
from clave.delivery.formats import FORMATS, Refused, github, load
from clave.model.dotenv import parse
from tests.delivery import readers
from tests.delivery.readers import SHELLS, Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# What SECURITY and the documentation of the readers make one think of, by a word for each.
VALUES = {
    "empty": b"",
    "plain": b"s3cret",
    "space": b"two words",
    "spaces": b"a  b   c",
    "leading": b" leading",
    "trailing": b"trailing ",
    "blank": b"   ",
    "single": b"it's",
    "double": b'say "x"',
    "quotes": b"'\"'\"`",
    "quote": b"'",
    "quoted": b"'quoted'",
    "doublequoted": b'"quoted"',
    "backquoted": b"`quoted`",
    "dollar": b"$(touch P) $HOME ${HOME} $$",
    "braces": b"a${HOME}b",
    "unclosed": b"${HOME",
    "backtick": b"`touch P`",
    "newline": b"line 1\nline 2",
    "newlines": b"\n\nx\n\n",
    "assigning": b"x\nB=evil\nexport C='evil'",
    "delimiter": b"x\nEOF\n<<\nB<<EOF\nevil\nEOF",
    "tab": b"a\tb",
    "backslash": b"a\\b",
    "backslashes": b"\\\\ \\n \\t \\' \\x41 \\u0041",
    "lastbackslash": b"ends in \\",
    "backslashcr": b"a\\\r",
    "bang": b"wow! !! !$",
    "utf8": "é ☃ 😀".encode(),
    "decomposed": "e\u0301".encode(),
    "rlo": "\u202eevil\u2066".encode(),
    "separator": "a\u2028b\u2029c\x85d".encode(),
    "private": "\uf600\uf6ff\ue000\ufdd0\uffff\ufeff".encode(),
    "cr": b"a\rb",
    "crlf": b"a\r\nb\r\n",
    "lastcr": b"ends\r",
    "hash": b"a#b #c",
    "firsthash": b"#a",
    "equals": b"=ls",
    "equal": b"a=b==",
    "tilde": b"~root",
    "glob": b"* ? [a-z] {a,b} /*",
    "escape": b"\x1b[31mred\x1b]0;title\x07",
    "controls": bytes(range(1, 32)) + b"\x7f",
    "bytes": bytes(range(1, 256)),
    "ff": b"\xff",
    "percent": b"100%25 %0A %s",
    "colons": b"a:b::c:",
    "yes": b"yes",
    "null": b"null",
    "number": b"0x1F",
    "timestamp": b"2001-01-01",
    "reference": b"&a *b !c %d @e",
    "dashes": b"--- -n -e",
    "json": b'{"a": [1, "\\u0000"]}',
    "pem": b"-----BEGIN KEY-----\nMIIB+/==\n-----END KEY-----\n",
    "long": b"0123456789" * 10_000,
    "longquotes": b"a'b\\\n" * 1_000,
}

# What each format refuses of these; all others must come back.
NOT_UTF8 = {"bytes", "ff"}
WITH_CR = {"backslashcr", "cr", "crlf", "lastcr", "controls"}
REFUSED = {
    "sh": set(),
    "bash": set(),
    "zsh": set(),
    "fish": set(),
    "json": NOT_UTF8,
    "yaml": NOT_UTF8,
    "github": NOT_UTF8,
    "k8s-secret": set(),
    "direnv": NOT_UTF8,
    "docker": NOT_UTF8
    | {
        "backslashcr",
        "newline",
        "newlines",
        "assigning",
        "delimiter",
        "crlf",
        "lastcr",
        "controls",
        "pem",
        "long",
        "longquotes",
    },
    "dotenv": NOT_UTF8 | {"quotes", "dollar", "braces"} | WITH_CR,
}

HOLD_NUL = ("json", "yaml", "k8s-secret")
OURS = {"docker": readers.docker, "github": readers.github, "k8s-secret": readers.kubernetes}


@pytest.fixture(scope="module")
def node() -> Iterator[Callable[[str], Reader]]:
    with readers.node() as reader:
        yield reader


def readers_of(form: str, request: pytest.FixtureRequest) -> list[Reader]:
    """Return all that read a format."""
    if form in SHELLS:
        return [readers.shell(argv) for argv in SHELLS[form]]
    if form == "dotenv":
        node = request.getfixturevalue("node")
        return [readers.python_dotenv, node("dotenv"), node("dotenv --fast"), node("dotenv 16"), node("node"), ours]
    if form == "yaml":
        return [readers.pyyaml, request.getfixturevalue("node")("js-yaml")]
    return [{"json": readers.jq, "direnv": readers.direnv, **OURS}[form]]


def ours(data: bytes) -> dict[str, bytes]:
    """Read a file of variables as `--env-file` does."""
    return {name: value.encode() for name, value, _ in parse(data, "x")}


def written(form: str, variables: list[tuple[str, bytes]]) -> tuple[bytes, dict[str, bytes], set[str]]:
    """Write those variables that a format takes; return them too, and the names of those that it refuses."""
    module = load(form)
    taken, refused = {}, set()
    for name, value in variables:
        try:
            module.write([(name, value)])
        except Refused as refusal:
            refused.add(refusal.name)
        else:
            taken[name] = value
    return module.write(list(taken.items())), taken, refused


def check(form: str, variables: list[tuple[str, bytes]], request: pytest.FixtureRequest) -> set[str]:
    """Assert that every reader has what was written; return what was refused."""
    data, taken, refused = written(form, variables)
    for read in readers_of(form, request):
        found = read(data)
        assert {name: found.get(name) for name in taken} == taken
        assert "B" not in found
    return refused


@pytest.mark.parametrize("form", FORMATS)
def test_values_come_back_or_are_refused(form: str, request: pytest.FixtureRequest) -> None:
    assert check(form, list(VALUES.items()), request) == REFUSED[form]


@pytest.mark.parametrize("form", [form for form in FORMATS if REFUSED[form]])
def test_a_refusal_names_the_variable_and_shows_nothing_of_its_value(form: str) -> None:
    for word in REFUSED[form]:
        with pytest.raises(Refused) as refusal:
            load(form).write([("BEFORE", b"canary-before"), ("THIS", VALUES[word])])
        line = refusal.value.line()
        assert line.startswith("THIS cannot be written so: ")
        assert "canary" not in line
        assert VALUES[word].decode("latin-1") not in line
        assert line.isprintable()


TEXT = st.text(st.sampled_from("ab1 \t\n\r'\"`\\$(){}#=!;&|<>*?[]~:%@-nrt\x1b\x00é\u2028\ufeff😀"), max_size=12)
ANY = st.one_of(TEXT.map(str.encode), st.text(max_size=20).map(lambda text: text.encode("utf-8", "ignore")))
BYTES = st.one_of(ANY, st.binary(max_size=20))


@pytest.mark.parametrize("form", FORMATS)
@given(values=st.lists(BYTES, min_size=30, max_size=60))
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_any_values_come_back_or_are_refused(form: str, values: list[bytes], request: pytest.FixtureRequest) -> None:
    refused = check(form, [(f"V{number}", value) for number, value in enumerate(values)], request)
    if form in SHELLS:
        assert refused == {f"V{number}" for number, value in enumerate(values) if b"\0" in value}


@given(value=ANY)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_can_be_written_for_one_reader_of_dotenv_is_the_same_to_all(
    value: bytes, request: pytest.FixtureRequest
) -> None:
    check("dotenv", [("V", value)], request)


@pytest.mark.parametrize("form", [form for form in FORMATS if form not in HOLD_NUL])
def test_a_nul_is_refused(form: str) -> None:
    with pytest.raises(Refused, match="NUL"):
        load(form).write([("V", b"a\0b")])


@pytest.mark.parametrize("form", HOLD_NUL)
def test_a_nul_comes_back_from_a_document(form: str, request: pytest.FixtureRequest) -> None:
    for read in readers_of(form, request):
        assert read(load(form).write([("V", b"a\0b")])) == {"V": b"a\0b"}


@pytest.mark.parametrize("form", ["bash", "zsh", "fish", "direnv", "json", "yaml", "k8s-secret"])
def test_no_control_byte_of_a_value_is_written_as_it_is(form: str) -> None:
    data = load(form).write([("V", VALUES["controls"] + VALUES["rlo"])])
    assert re.fullmatch(rb"[ -~\n]*", data)


@pytest.mark.parametrize("form", FORMATS)
def test_no_variables_are_no_error(form: str, request: pytest.FixtureRequest) -> None:
    data = load(form).write([])
    for read in readers_of(form, request):
        assert "V" not in read(data)


@pytest.mark.parametrize("name", ["NO", "Y", "on", "null", "_", "__proto__"])
def test_names_of_yaml_are_strings(name: str, request: pytest.FixtureRequest) -> None:
    for read in readers_of("yaml", request)[: 1 if name == "__proto__" else 2]:
        assert read(load("yaml").write([(name, b"x")])) == {name: b"x"}


_MODULES = ("parameter", "datetime", "mapfile", "terminfo", "termcap", "langinfo", "system", "sched", "watch", "zle")
_SPECIAL = {
    "bash": ["bash", "--norc", "-c", "compgen -v"],
    "sh": ["bash", "--posix", "-c", "compgen -v"],
    "fish": ["fish", "--no-config", "-c", "set --names"],
    "zsh": [
        "zsh",
        "-f",
        "-c",
        f"zmodload zsh/{' zsh/'.join(_MODULES)}; print -l ${{(k)parameters}}",
    ],
}


@pytest.mark.parametrize("form", _SPECIAL)
def test_variables_of_a_shell_come_back_or_are_refused(form: str) -> None:
    """Ask the shell for its own variables, and try what it does when each is set; none of it may be silent."""
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    listed = subprocess.run(_SPECIAL[form], env=env, capture_output=True, check=True).stdout.decode().split()
    own = sorted(name for name in listed if names.is_name(name) and name not in ("PATH", "LD_PRELOAD"))
    assert len(own) > 15
    data, taken, refused = written(form, [(name, b"x y") for name in own])
    assert refused
    for argv in SHELLS[form][:2]:
        found = readers.shell(argv)(data)
        assert {name: found.get(name) for name in taken} == taken


def test_github_masks_each_line_of_each_value() -> None:
    commands = github.masks([b"abc%0A", b"key: {\n  line 2\r\n}\n", b"1", b"", b"  \n ", b"abc%0A"])
    assert commands == b"::add-mask::abc%250A\n::add-mask::key: {\n::add-mask::  line 2\n::add-mask::1\n"


def test_github_takes_another_delimiter_each_time() -> None:
    first, second = (github.write([("V", b"x")]) for _ in range(2))
    assert first != second


@pytest.mark.parametrize("name", ["GITHUB_SHA", "RUNNER_OS", "NODE_OPTIONS"])
def test_github_has_names_of_its_own(name: str) -> None:
    with pytest.raises(Refused, match=name):
        github.write([(name, b"x")])
    assert github.write([("GITHUB_TOKEN", b"x")])


def test_direnv_has_no_room_for_more_than_linux_takes() -> None:
    module = load("direnv")
    with pytest.raises(Refused, match=r"V cannot .* DIRENV_DIFF"):
        module.write([("SMALL", b"x"), ("V", b64encode(os.urandom(75_000)))])


@pytest.mark.parametrize("name", ["", "A b", "Äpp", "-x", "a..b", "x" * 254, "x\n"])
def test_a_secret_of_kubernetes_has_a_name_of_kubernetes(name: str) -> None:
    from clave.delivery.formats import k8s_secret
    from clave.errors import UsageError

    with pytest.raises(UsageError, match="cannot be the name of a Secret"):
        k8s_secret.write([], name)


def test_the_values_of_a_secret_of_kubernetes_have_a_limit() -> None:
    with pytest.raises(Refused, match="1 MiB"):
        load("k8s-secret").write([("A", b"x" * (1 << 19)), ("V", b"x" * (1 << 20))])
