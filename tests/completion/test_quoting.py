"""The rules of `clave.bash` on quotes: what it writes, bash reads as the name; what it reads, bash has read so."""

from __future__ import annotations

import os
import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.completion.shells import ROOT

# Everything that means something to bash or readline, some that does not, and no control character.
NAMES = st.text(st.sampled_from(list(" !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~aZ0é日")), min_size=1, max_size=12)
LISTS = st.lists(NAMES, min_size=1, max_size=30)


def bash(script: str, *arguments: str) -> list[str]:
    """Run a script with the completion loaded; return the texts that it writes, each ended by NUL."""
    argv = ["bash", "--norc", "-c", f"source {ROOT}/completions/clave.bash\n{script}", "bash", *arguments]
    done = subprocess.run(argv, env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]}, capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout.decode().split("\0")[:-1]


@settings(max_examples=60, deadline=None)
@given(LISTS)
def test_what_is_quoted_is_read_as_the_name(names: list[str]) -> None:
    script = 'for each; do _clave_quote "$each"; eval "set -- $REPLY"; printf "%s\\0" "$@"; done'
    assert bash(f'open=""; {script}', *names) == names


@settings(max_examples=60, deadline=None)
@given(LISTS)
def test_what_is_quoted_for_an_open_quote_is_read_as_the_name(names: list[str]) -> None:
    script = 'for each; do _clave_quote "$each" && eval "set -- $open$REPLY$open" && printf "%s\\0" "$@"; done; true'
    assert bash(f'open="\'"; {script}', *names) == names
    # There is no way to write a "!" between these that an interactive bash does not take for a piece of its history.
    assert bash(f"open='\"'; {script}", *names) == [name for name in names if "!" not in name]


@settings(max_examples=60, deadline=None)
@given(LISTS, st.sampled_from(["", "'", '"']))
def test_a_line_is_split_as_bash_does(names: list[str], quote: str) -> None:
    """The last word is still being typed: its quote is open."""
    script = f"""
    open={quote and chr(92) + quote} line=clave
    for each; do
        _clave_quote "$each" || REPLY=x
        line+=" $open$REPLY$open"
    done
    last=$open
    eval "set -- $line"
    _clave_split "${{line%"$last"}}"
    printf '%s\\0' "$open" "$raw" "${{words[@]}}" --- "$@"
    """
    open_, raw, *rest = bash(script, *names)
    at = rest.index("---")
    assert open_ == quote
    assert raw.startswith(quote)
    assert rest[:at] == rest[at + 1 :]
    assert len(rest[:at]) == len(names) + 1


def test_half_a_line_is_split() -> None:
    script = """for each; do _clave_split "$each"; printf '%s\\0' "${words[@]}" "<$raw>" "<$open>" ---; done"""
    lines = [
        "clave ",
        "clave sh",
        "clave a\\",
        "clave 'a b",
        'clave "a\\$b\\c',
        "clave a'b'\"c\"\\ d",
        "clave '' x",
        "",
    ]
    assert "\n".join(bash(script, *lines)).split("\n---") == [
        "clave\n\n<>\n<>",
        "\nclave\nsh\n<sh>\n<>",
        "\nclave\na\n<a\\>\n<>",
        "\nclave\na b\n<'a b>\n<'>",
        '\nclave\na$b\\c\n<"a\\$b\\c>\n<">',
        "\nclave\nabc d\n<a'b'\"c\"\\ d>\n<>",
        "\nclave\n\nx\n<x>\n<>",
        "\n\n<>\n<>",
        "",
    ]
