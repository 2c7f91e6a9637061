"""Reading `.env` files: what python-dotenv and npm's dotenv read alike is read so, all else is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from clave.delivery import dotenv
from clave.errors import NotFound, UsageError
from tests.delivery import readers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.delivery.readers import Reader

GOOD = {
    "": {},
    "\n# note\n  # A=1\n": {},
    "A=1": {"A": "1"},
    "A=1\r\nB=2\r\n": {"A": "1", "B": "2"},
    "\ufeffA=1\n": {"A": "1"},
    "export A = two words  # note\n": {"A": "two words"},
    "A='it is # no note'  # note\n": {"A": "it is # no note"},
    'A="a\\nb\\rc\\d"\n': {"A": "a\nb\rc\\d"},
    "A='line 1\nB=2\nline 3'\nC=3\n": {"A": "line 1\nB=2\nline 3", "C": "3"},
    "A=it's\n": {"A": "it's"},
    "A=\nB=''\nC=\"\"\n": {"A": "", "B": "", "C": ""},
    "A='clave://prod/db#user'\n": {"A": "clave://prod/db#user"},
    "A=clave://prod/db#user\nB=clave://b # note\n": {"A": "clave://prod/db#user", "B": "clave://b"},
    "A=a=b\n": {"A": "a=b"},
    "A=$HOME ${open\n": {"A": "$HOME ${open"},
    "A=a\\b\\\n": {"A": "a\\b\\"},
    "exporter=1\n": {"exporter": "1"},
}
BAD = {
    "A": "NAME=VALUE",
    "A: 1": "NAME=VALUE",
    "1A=1": "NAME=VALUE",
    "A-B=1": "NAME=VALUE",
    "'A'=1": "NAME=VALUE",
    "export A": "NAME=VALUE",
    "export =1": "NAME=VALUE",
    "A=x#y": "comment",
    "A= #y": "comment",
    "A='x' y": "something follows",
    'A="x"y': "something follows",
    "A='x": "do not end",
    "A=`x`": "do not end",
    "A='a\\\\b'": "backslash",
    "A='a\\'": "backslash",
    'A="a\\tb"': "backslash",
    'A="a\\"b"': "backslash",
    "A=${B}": r"\$\{…\}",
    "A='${B:-x}'": r"\$\{…\}",
    "A=1\nA=2": "A stands in line 2 already",
    "# a\u2028A=1": "U\\+2028",
    "A=a\u2028b": "U\\+2028",
    "A=a\u00a0": "spaces",
}


@pytest.fixture(scope="module")
def node() -> Iterator[Callable[[str], Reader]]:
    with readers.node() as reader:
        yield reader


@pytest.mark.parametrize("text", GOOD)
def test_what_is_read(text: str) -> None:
    assert {name: value for name, value, _ in dotenv.parse(text.encode(), "x")} == GOOD[text]


@pytest.mark.parametrize("text", BAD)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=BAD[text]) as refusal:
        dotenv.parse(b"\n" + text.encode(), "app/.env")
    assert refusal.value.message.startswith(f"app/.env, line {3 if 'A=2' in text else 2}: ")
    assert refusal.value.exit_code == 2


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UsageError, match="x, line 2: it is not UTF-8"):
        dotenv.parse(b"A=1\nB=\xff\n", "x")


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no file of variables"):
        dotenv.read(f"{tmp_path}/none")
    with pytest.raises(UsageError, match="is not a file"):
        dotenv.read(f"{tmp_path}")
    (tmp_path / "large").write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(UsageError, match="larger than 1024 KiB"):
        dotenv.read(f"{tmp_path}/large")


PIECES = [
    "A",
    "B",
    "1",
    "=",
    "'",
    '"',
    "`",
    "\\",
    "\\n",
    "\\t",
    "#",
    " #",
    " ",
    "\t",
    "\n",
    "\r",
    "${A}",
    "$",
    ":",
    "-",
]
PIECES += ["export ", "x", "é", "\u2028", "\u00a0", "\ufeff", "\x0b", "\x1c", "\\'", '\\"']
VALUE = st.lists(st.sampled_from(PIECES), max_size=5).map("".join)
LINES = st.builds("{}={}{}\n".format, st.sampled_from("ABCD"), VALUE, st.sampled_from(["", " # note", "'", '"']))
TEXTS = st.one_of(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.lists(LINES, max_size=4).map("".join))


@given(text=TEXTS)
@example(text="A=1\u2028B=2")
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_read_is_what_the_others_read(text: str, node: Callable[[str], Reader]) -> None:
    try:
        found = {name: value.encode() for name, value, _ in dotenv.parse(text.encode(), "x")}
    except UsageError:
        return
    for read in (readers.python_dotenv, node("dotenv"), node("dotenv --fast"), node("dotenv 16")):
        assert read(text.encode()) == found
