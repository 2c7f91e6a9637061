"""What ARCHITECTURE.md and CONTRIBUTING.md name is there: files, folders, modules, functions."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/clave"


def names(text: str) -> list[str]:
    """Return what stands between backquotes outside of code blocks, a call without its arguments."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [word.partition("(")[0] for word in re.findall(r"`([^`\n]+)`", prose)]


def is_there(name: str) -> bool:
    """Tell whether a name is that of something in the project; what is not of a form that we know is."""
    if "NAME" in name or name.startswith("."):
        return True
    if re.fullmatch(r"[\w./-]+(/|\.py|\.md|\.toml)|(src|tests|tools|docs|man)/[\w./-]+", name):
        return any((folder / name).exists() for folder in (ROOT, SOURCE))
    first, _, rest = name.partition(".")
    if re.fullmatch(r"\w+(\.\w+)+", name) and ((SOURCE / first).is_dir() or (SOURCE / f"{first}.py").is_file()):
        return _is_attribute(f"clave.{first}", rest.split("."))
    return True


def _is_attribute(module: str, path: list[str]) -> bool:
    found = import_module(module)
    for at, part in enumerate(path):
        if not hasattr(found, part):
            try:
                import_module(f"{module}.{'.'.join(path[: at + 1])}")
            except ModuleNotFoundError:
                return False
        found = getattr(found, part)
    return True


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_what_a_page_names_is_there(page: str) -> None:
    found = names((ROOT / page).read_text())

    assert len([name for name in found if name.endswith(".py")]) > 3
    assert [name for name in found if not is_there(name)] == []


@pytest.mark.parametrize(
    "name", ["store/locate.py", "cli/nothing/", "places.nothing", "vcs.transaction.Nothing.commit"]
)
def test_what_is_not_there_is_found(name: str) -> None:
    assert not is_there(name)
    assert names(f"see `{name}(1)`\n```sh\n`x.py`\n```\n") == [name]


@pytest.mark.parametrize("name", ["store/layout.py", "cli/", "places.locate", "vcs.transaction.Transaction.commit"])
def test_what_is_there_is_found(name: str) -> None:
    assert is_there(name)
