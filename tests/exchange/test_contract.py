"""The contract, for every format that is there."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clave.exchange.format import WriteOptions, all_formats, find
from clave.exchange.item import Item
from tests.exchange import contract
from tests.exchange.items import items

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLES = Path(__file__).parent / "samples"
PASSWORD = "correct horse"  # of the samples that have one


@pytest.fixture
def sample(tmp_path: Path) -> Callable[[str], Path]:
    """Return a way to the sample of a format: a file of its name, or what is made of a folder of its name."""

    def made(name: str) -> Path:
        form = find(name)
        found = [each for each in SAMPLES.iterdir() if each.name.partition(".")[0] == name]
        if name == "bitwarden-encrypted":
            (other,) = SAMPLES.glob("bitwarden-json.*")
            items = find("bitwarden-json").read(contract.source(other)).items
            path = tmp_path / f"{name}.json"
            path.write_bytes(form.write(items, WriteOptions(password=lambda: PASSWORD)))
            return path
        assert len(found) == 1, f"tests/exchange/samples has no {name}.*, or several"
        if found[0].is_dir() and not form.folder:
            return _archive(found[0], tmp_path / ("export.1pux" if name == "1pux" else f"{name}.zip"))
        return found[0]

    return made


def _archive(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in sorted(folder.rglob("*")):
            if each.is_file():
                archive.write(each, each.relative_to(folder))
    return path


@pytest.mark.parametrize("name", all_formats())
def test_a_format_keeps_the_contract(name, tmp_path, sample):
    form = find(name)
    contract.check(form, sample(name), tmp_path, password=None if form.plaintext else PASSWORD)


@pytest.mark.parametrize("name", [name for name, form in all_formats().items() if form.writes and form.plaintext])
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.lists(items, max_size=3))
def test_any_item_comes_back_or_is_told(name, found, tmp_path):

    numbered = [replace(item, title=item.title or "t", origin=f"item {at}") for at, item in enumerate(found)]
    contract.check_written(find(name), numbered, tmp_path)


def test_a_broken_contract_is_seen(tmp_path, sample):
    """The contract can fail: a format that drops the notes, and says nothing."""

    class Dropping(type(find("json"))):
        def write(self, items, options):
            return super().write([Item(each.title, each.folder, password=each.password) for each in items], options)

    with pytest.raises(AssertionError):
        contract.check(Dropping(), sample("json"), tmp_path)
