"""summon's files: read as summon reads them (which is YAML), or refused with the line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clave.delivery import manifest
from clave.delivery.asked import Manifest, Variable
from clave.delivery.references import Reference
from clave.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def read(folder: Path, text: str) -> Manifest:
    (folder / "secrets.yml").write_text(text)
    return manifest.read(str(folder / "secrets.yml"))


def test_a_file_of_variables(tmp_path: Path) -> None:
    text = """---
# secrets of the shop
AWS_KEY: !var aws/iam/key
AWS_ID: !var   aws/iam/key#user  # whose
PEM: !var:file tls/key
PEM2: !file:var 'tls/it''s'
NONE: !var:default='x:y' may/be
PLAIN: eu-central-1
QUOTED: "a \\"b\\"\\n# c"
NUMBER: !int 5
OTHER: -3
YES: !!bool true
TEXT: !str 'no: yes'
DOLLAR: $$5
CONFIG: !file some text
EMPTY: ""
"""
    assert read(tmp_path, text.replace("\n", "\r\n")).variables() == read(tmp_path, text).variables()
    assert read(tmp_path, text).variables() == (
        Variable("AWS_KEY", Reference("aws/iam/key")),
        Variable("AWS_ID", Reference("aws/iam/key", "user")),
        Variable("PEM", Reference("tls/key"), as_file=True),
        Variable("PEM2", Reference("tls/it's"), as_file=True),
        Variable("NONE", Reference("may/be"), default="x:y"),
        Variable("PLAIN", value="eu-central-1"),
        Variable("QUOTED", value='a "b"\n# c'),
        Variable("NUMBER", value="5"),
        Variable("OTHER", value="-3"),
        Variable("YES", value="true"),
        Variable("TEXT", value="no: yes"),
        Variable("DOLLAR", value="$5"),
        Variable("CONFIG", value="some text", as_file=True),
        Variable("EMPTY", value=""),
    )


def test_sections_are_profiles(tmp_path: Path) -> None:
    text = "common:\n  HOST: h\n  USER: me\n\nstaging:\n    KEY: !var s/key\n    USER: you\n"
    text += "production:\n  KEY: !var p/key\n"
    found = read(tmp_path, text)
    assert found.variables("staging") == (
        Variable("HOST", value="h"),
        Variable("USER", value="you"),
        Variable("KEY", Reference("s/key")),
    )
    assert [each.name for each in found.variables("production")] == ["HOST", "USER", "KEY"]
    with pytest.raises(UsageError, match="has sections alone"):
        found.variables()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A: !var ../x", "line 1: You've attempted"),
        ("A: x\nA: y", "line 2: there are two 'A'"),
        ("s:\n  A: x\n  A: y", "line 3: there are two 'A'"),
        ("s:\n  A: x\ns:\n  B: y", "line 3: there are two 's'"),
        ("s:\n  A: x\n    B: y", "line 3: it is indented otherwise"),
        ("  A: x", "line 1: it is indented, and below nothing"),
        ("A: x\ns:\n  B: y", "in sections and outside"),
        ("s:\n", "nothing stands below 's'"),
        ("A: !vra x", "there is no tag '!vra'"),
        ("A: !varx x", "there is no tag '!varx'"),
        ("A: !var $env/x", "it has a $"),
        ("A: &x y", "is not plain text"),
        ("A: *x", "is not plain text"),
        ("A: [1, 2]", "is not plain text"),
        ("A: {b: c}", "is not plain text"),
        ("A: |\n  text", "is not plain text"),
        ("A: x: y", "is not plain text"),
        ("A: 'x' y", "is not plain text"),
        ('A: "\\x41"', "is not plain text"),
        ("A: %x", "is not plain text"),
        ("A: @x", "is not plain text"),
        ("- A: x", "it is not 'NAME: !var path'"),
        ("? A", "it is not 'NAME: !var path'"),
        ("A : x", "it is not"),
        ("A: x\n--- \nB: y", "it is not"),
        ("\tA: x", "it is not"),
        ("1A: x", "'1A' cannot be a variable"),
        ("a-b: x", "'a-b' cannot be a variable"),
        ("summon.files:\n  - path: x", "is not known to clave"),
        ("A: x\n  more", "it is not"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as failure:
        read(tmp_path, text)
    assert said in failure.value.message
