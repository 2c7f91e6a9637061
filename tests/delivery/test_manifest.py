"""Manifests: what they say, and what is refused in one that somebody else wrote."""

from __future__ import annotations

import os
import string
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clave.delivery import manifest
from clave.delivery.asked import Manifest, Variable
from clave.delivery.references import Reference, Template
from clave.delivery.writing import Entry, add
from clave.errors import NotFound, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def read(folder: Path, text: str) -> Manifest:
    (folder / "clave.toml").write_text(text)
    return manifest.read(str(folder / "clave.toml"))


FULL = """
[store]
id = "0123456789abcdef0123456789abcdef"
url = "git@example.org:secrets.git"

[env]
TOKEN = "prod/api"
USER = "clave://prod/db#user"
URL = { template = "pg://{prod/db#user}:{prod/db|url}@h" }
LEVEL = { value = "info" }
[env.KEY]
secret = "tls/key"
as = "file"
optional = true
encoding = "base64"
description = "of the server"

[profiles.test]
env.TOKEN = { secret = "test/api", default = "none" }
[profiles.alone]
inherit = false
env = { ONLY = "x" }
"""


def test_what_a_manifest_says(tmp_path: Path) -> None:
    found = read(tmp_path, FULL)
    assert (found.store_id, found.url) == ("0123456789abcdef" * 2, "git@example.org:secrets.git")
    url = Variable("URL", template=Template("pg://{prod/db#user}:{prod/db|url}@h"))
    key = Variable(
        "KEY", Reference("tls/key"), as_file=True, optional=True, encoding="base64", description="of the server"
    )
    others = (Variable("USER", Reference("prod/db", "user")), url, Variable("LEVEL", value="info"), key)
    assert found.variables() == (Variable("TOKEN", Reference("prod/api")), *others)
    assert found.variables("test") == (Variable("TOKEN", Reference("test/api"), default="none"), *others)
    assert found.variables("alone") == (Variable("ONLY", Reference("x")),)
    assert found.references() == {
        Reference("prod/api"), Reference("prod/db", "user"), Reference("prod/db"), Reference("tls/key")
    }  # fmt: skip
    assert {each.name for each in found.everything()} == {"TOKEN", "USER", "URL", "LEVEL", "KEY", "ONLY"}
    with pytest.raises(NotFound, match="has no profile 'tset'") as failure:
        found.variables("tset")
    assert failure.value.hint == "Did you mean 'test'?"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[env]\nA = 1", "line 2: 'env.A' must be a reference in quotes, or a table"),
        ("[env]\nA = ['x']", "line 2: 'env.A' must be"),
        ("[env]\nA = ''", "line 2: '' is not a name of an entry"),
        ("[env]\n\nA = '../x'", "line 3: "),
        ("[env]\nA = '/etc/passwd'", "line 2: "),
        ("[env]\nA = 'clave://a/%2e%2e/%2e%2e/b'", "line 2: "),
        ("[env]\nA = 'op://x/y'", "line 2: 'op://x/y' is not a reference"),
        ("[env]\nA = {}", "needs exactly one of 'secret', 'template' and 'value'"),
        ("[env]\nA = { secret = 'a', value = 'b' }", "needs exactly one of"),
        ("[env]\nA = { secret = 'a', sceret = 'b' }", "there is no 'env.A.sceret'"),
        ("[env]\nA = { secret = 1 }", "'env.A.secret' must be text"),
        ("[env]\nA = { secret = 'a', as = 'fiel' }", "'env.A.as' must be 'env' or 'file'"),
        ("[env]\nA = { secret = 'a', encoding = 'rot13' }", "'env.A.encoding' must be 'base64'"),
        ("[env]\nA = { secret = 'a', optional = 'yes' }", "'env.A.optional' must be true or false"),
        ("[env]\nA = { value = 'a', optional = true }", "has a 'value', to which"),
        ('[env]\nA = { value = "a\\u0000" }', "has a NUL"),
        ("[env]\nA = { template = '{a' }", "the template has a '{' alone"),
        ("[env]\nA = { template = '{../a}' }", "line 2: "),
        ("[env]\nA = 'x'\nA = 'y'\n", "line 3 is not TOML: cannot overwrite a value"),
        ("[env]\nA = 'x'\n[env.A]\nsecret = 'y'", "line 3 is not TOML: cannot overwrite"),
        ("[env]\n'A;touch x' = 'y'", "cannot be a variable"),
        ('[env]\n"A\\nB" = "y"', "cannot be a variable"),
        ("[env]\n'' = 'y'", "cannot be a variable"),
        ("[env]\n1A = 'y'", "cannot be a variable"),
        ("[env]\né = 'y'", "is not TOML"),
        ("env = 'x'", "line 1: 'env' must be a table"),
        ("[evn]\nA = 'x'", "line 1: there is no 'evn' in a manifest"),
        ("allow = ['LD_PRELOAD']", "there is no 'allow'"),
        ("[store]\nid = 'x'", "line 2: 'store.id' is not the id of a team store"),
        ("[store]\nurl = \"a\\u001b[2J\"", "'store.url' is not the address"),
        ("[store]\npath = '/x'", "there is no 'store.path'"),
        ("[profiles]\ntest = 'x'", "line 2: 'profiles.test' must be a table"),
        ("[profiles.'a b']\n", "is no name of a profile"),
        ("[profiles.test]\nA = 'x'", "there is no 'profiles.test.A'"),
        ("[profiles.test]\ninherit = 'no'", "'profiles.test.inherit' must be true or false"),
        ("a = " + "[" * 4000, "is nested too deep"),
        ("a = " + "{a=" * 1000, "is nested too deep"),
        ("a" + ".a" * 3000 + " = 1", "line 1 is longer than 4096 bytes"),
        ("[env]\nA = 'x' # " + "\n# x" * 20_000, "is larger than 64 KiB"),
        ("a = \xff", "is not TOML"),
        ("a = 99999999999999999999999-01-01", "is not TOML"),
        ("a = 1979-99-99", "is not TOML"),
        ("a = " + "9" * 4000, "there is no 'a'"),
    ],
)  # fmt: skip
def test_what_is_refused_says_where(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as failure:
        read(tmp_path, text)
    assert said in failure.value.message
    assert str(tmp_path / "clave.toml") in failure.value.message


def test_what_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "clave.toml").write_bytes(b"a = '\xff'")
    with pytest.raises(UsageError, match="is not UTF-8"):
        manifest.read(str(tmp_path / "clave.toml"))


@pytest.mark.parametrize("target", ["/etc", "/dev/zero", "/dev/full", "/proc/self/mem"])
def test_what_is_no_file(tmp_path: Path, target: str) -> None:
    (tmp_path / "clave.toml").symlink_to(target)
    with pytest.raises(UsageError):
        manifest.read(str(tmp_path / "clave.toml"))


def test_nobody_waits_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "clave.toml")
    with pytest.raises(UsageError, match="is not a file"):
        manifest.read(str(tmp_path / "clave.toml"))


def test_of_a_file_behind_a_symlink_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("canary-of-another-file:x:0\n")
    (tmp_path / "clave.toml").symlink_to(tmp_path / "secret")
    with pytest.raises(UsageError) as failure:
        manifest.read(str(tmp_path / "clave.toml"))
    assert "canary" not in failure.value.line()


def test_the_nearest_one_is_found(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "clave.toml").touch()
    assert manifest.find(str(below)) == str(tmp_path / "clave.toml")
    (tmp_path / "a" / "clave.toml").symlink_to("nowhere")
    # It is the one that is meant: another one further up is not taken for it.
    assert manifest.find(str(below)) == str(tmp_path / "a" / "clave.toml")


variables = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
letters = st.text(string.ascii_letters + string.digits + "-_é ", min_size=1, max_size=8).map(str.strip)
paths = st.lists(letters.filter(lambda each: each and each[0] != "-"), min_size=1, max_size=3).map("/".join)
entries = st.builds(
    Entry,
    name=variables,
    text=paths,
    template=st.just(value=False),
    as_file=st.booleans(),
    optional=st.booleans(),
) | st.builds(
    Entry, name=variables, text=paths.map("a{{{}|url}}\"'\\".replace("{}", "%s").__mod__), template=st.just(value=True)
)


@settings(max_examples=40)
@given(st.lists(st.tuples(entries, st.sampled_from([None, "test", "a.b-c"])), max_size=6))
def test_what_is_added_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, added: list[tuple[Entry, str | None]]
) -> None:
    path = tmp_path_factory.mktemp("m") / "clave.toml"
    path.write_text("# mine\n[env]\n")
    wanted: dict[str | None, dict[str, Variable]] = {}
    for entry, profile in added:
        add(str(path), entry, profile)
        wanted.setdefault(profile, {})[entry.name] = entry.variable
    found = manifest.read(str(path))
    base = wanted.pop(None, {})
    assert {each.name: each for each in found.variables()} == base
    for profile, own in wanted.items():
        assert {each.name: each for each in found.variables(profile)} == base | own
    assert path.read_text().startswith("# mine\n")


@settings(max_examples=150)
@given(st.text(alphabet=string.printable, max_size=120))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(text)
    try:
        found = manifest.read(str(path))
    except UsageError:
        return
    assert all(variable.name.isidentifier() for variable in found.variables())
