from __future__ import annotations

import re
import subprocess
from pathlib import Path

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import man

ROOT = Path(__file__).parents[2]

# What a terminal can show and roff could take for something else; a backquote is our own mark.
WORDS = st.text(st.sampled_from(list(r"""ab.'"\-~^!#%&$*[](){}<>|/,;:=+@…é│“√n""")), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return man.pages()


def _groff(page: str) -> tuple[str, str]:
    """Return what groff shows for a page, and what it complains of."""
    groff = ["groff", "-man", "-ww", "-Tutf8", "-P-cbou", "-rLL=500n"]
    run = subprocess.run(groff, input=page.encode(), capture_output=True, check=True)
    return run.stdout.decode(), run.stderr.decode()


@settings(max_examples=40, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=40))
def test_prose_shows_as_it_was_written(words: list[str]) -> None:
    shown, complaints = _groff(f".TH T 1\n.SH S\n{man.prose(' '.join(words))}\n")

    assert complaints == ""
    body = shown.split("S\n", 1)[1].rsplit("\n\n", 1)[0]
    assert body.split() == words


def test_a_paragraph_of_lines_keeps_them() -> None:
    roff = man.Roff()
    roff.write_text("first\n\n\b\n  .one  'x'\n    two\\n")
    shown, complaints = _groff(f".TH T 1\n.SH S\n{roff.getvalue()}")

    assert complaints == ""
    assert "       .one  'x'\n         two\\n\n" in shown


def test_no_page_makes_groff_complain(pages: dict[str, str]) -> None:
    assert {name: _groff(page)[1] for name, page in pages.items()} == dict.fromkeys(pages, "")


def test_every_option_and_argument_is_in_its_page(pages: dict[str, str]) -> None:
    missing = []
    for ctx in _contexts(click.Context(man.root, info_name="clave", **man.root.context_settings)):
        page = "-".join(ctx.command_path.split()[:2]) + ".1"
        shown = _groff(pages[page])[0]
        for param in ctx.command.get_params(ctx):
            hidden = isinstance(param, click.Option) and param.hidden
            names = param.opts if isinstance(param, click.Option) else [param.make_metavar(ctx)]
            missing += [(page, name) for name in names if not hidden and name not in shown]
    assert missing == []


def _contexts(ctx: click.Context) -> list[click.Context]:
    """Return a context of every command below `ctx`, and itself."""
    found = [ctx]
    if isinstance(ctx.command, click.Group):
        for name in ctx.command.list_commands(ctx):
            command = ctx.command.get_command(ctx, name)
            assert command is not None
            found += _contexts(click.Context(command, info_name=name, parent=ctx, **command.context_settings))
    return found


def test_the_exit_codes_are_those_that_are_never_renumbered() -> None:
    assert list(man.exit_codes()) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 73, 75, 126, 127, 130]


def test_every_page_says_how_its_command_ends_and_what_to_read_next(pages: dict[str, str]) -> None:
    codes = man.exit_codes()

    assert set(man.ENDS) == set(man.root.list_commands(click.Context(man.root)))
    for ends in man.ENDS.values():
        assert set(ends.codes) <= set(codes)
        assert {f"clave-{name}.1" for name in ends.pages} <= set(pages)


def test_every_variable_that_the_program_reads_is_in_the_manual(pages: dict[str, str]) -> None:
    read = set()
    for path in (ROOT / "src").rglob("*.py"):
        read |= set(re.findall(r"""environ(?:\.get\(|\[)\s*["']([A-Z][A-Z_]+)["']""", path.read_text()))
    shown = _groff(pages["clave.1"])[0]
    unsaid = {name for name in read if name not in shown} - {"HOME", "PATH", "TERM"}
    assert read
    assert unsaid == set()
