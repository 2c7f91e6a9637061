"""Several stores: which one is meant; and the fast path agrees with the full program."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clave import config, places
from clave.errors import NotFound, UsageError
from clave.places import cache_file
from clave.store import stores


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith(("PASSWORD_STORE_", "XDG_", "CLAVE_", "GIT_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def entry(root: Path, name: str) -> None:
    file = root / f"{name}.gpg"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"")


def test_the_store_is_the_named_one_else_the_environments_else_the_default_else_the_usual(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stores.store_path(config.load()) == str(home / ".password-store")
    config.set_store("work", "~/work")
    config.set_store("other", "/srv/other")
    assert stores.store_path(config.load()) == str(home / ".password-store")
    config.set_value("default-store", "work")
    assert stores.store_path(config.load()) == str(home / "work")
    monkeypatch.chdir(home)
    monkeypatch.setenv("PASSWORD_STORE_DIR", "here/")
    assert stores.store_path(config.load()) == str(home / "here")
    assert stores.store_path(config.load(), "other") == "/srv/other"


def test_a_store_that_is_not_there_is_not_found_with_the_next_step(home: Path) -> None:
    with pytest.raises(stores.NoStore) as told:
        stores.open_store(config.load())
    assert told.value.exit_code == 3
    assert str(home / ".password-store") in told.value.line()
    assert "clave init" in told.value.line()
    assert stores.open_store(config.load(), new=True).root == str(home / ".password-store")
    config.set_store("work", "~/work")
    with pytest.raises(NotFound, match="there is no store 'wrk'") as told_name:
        stores.open_store(config.load(), "wrk")
    assert told_name.value.hint == "Did you mean 'work'?"


def test_a_prefix_names_a_store_only_if_nothing_has_the_whole_name(home: Path) -> None:
    entry(home / ".password-store", "a")
    entry(home / "work", "db")
    config.set_store("work", "~/work")
    settings = config.load()

    def split(argument: str) -> tuple[str | None, str]:
        store, name = stores.split_store(settings, argument)
        return store.name, name

    assert split("work:db") == ("work", "db")
    assert split("work:db#user") == ("work", "db#user")
    assert split("work:") == ("work", "")
    assert split("db") == (None, "db")
    assert split("nostore:db") == (None, "nostore:db")
    entry(home / ".password-store", "work:db")
    assert split("work:db") == (None, "work:db")
    assert split("work:db#user") == (None, "work:db#user")
    entry(home / ".password-store", "work:folder/x")
    assert split("work:folder") == (None, "work:folder")


def test_another_store_is_reached_where_the_current_one_is_missing(home: Path) -> None:
    entry(home / "work", "db")
    config.set_store("work", "~/work")
    store, name = stores.split_store(config.load(), "work:db")
    assert (store.root, name) == (str(home / "work"), "db")
    assert [prefix for prefix, _ in stores.all_stores(config.load())] == ["work:"]


def test_all_stores_come_once_the_current_one_first_and_bare(home: Path) -> None:
    for name in ("one", "two", ".password-store"):
        (home / name).mkdir()
        if name[0] != ".":
            config.set_store(name, f"~/{name}")
    config.set_store("gone", "~/gone")
    config.set_store("again", "~/one/../one")
    found = [(prefix, os.path.basename(store.root)) for prefix, store in stores.all_stores(config.load())]
    assert found == [("", ".password-store"), ("one:", "one"), ("two:", "two")]
    found = [(prefix, os.path.basename(store.root)) for prefix, store in stores.all_stores(config.load(), "two")]
    assert found == [("", "two"), ("one:", "one")]


def test_the_first_store_becomes_the_default_unless_there_is_the_usual_one(home: Path) -> None:
    assert stores.add(config.load(), "work", str(home / "work")).default
    assert config.load().stores == {"work": "~/work"}
    assert not stores.add(config.load(), "more", str(home / "more")).default
    stores.remove(config.load(), "work")
    stores.remove(config.load(), "more")
    assert config.load().default_store is None
    (home / ".password-store").mkdir()
    assert not stores.add(config.load(), "work", str(home / "work")).default


@pytest.mark.parametrize(
    ("name", "path", "wanted"),
    [
        ("work", "~/new", "there is a store 'work' already"),
        ("again", "~/work", "is the store 'work' already"),
        ("a:b", "~/new", "must be the name of a store"),
        ("-x", "~/new", "must be the name of a store"),
        ("new", "~/file", "is not a folder"),
        ("new", "https://example.org/x", "git clone"),
        ("new", "git@example.org:x", "git clone"),
        ("new", "~/a\nb", "must be the path of a folder"),
    ],
)
def test_a_store_that_cannot_be_added_changes_nothing(home: Path, name: str, path: str, wanted: str) -> None:
    (home / "file").write_text("")
    stores.add(config.load(), "work", "~/work")
    before = Path(config.config_file(os.environ)).read_bytes()
    with pytest.raises(UsageError) as told:
        stores.add(config.load(), name, path)
    assert wanted in told.value.line()
    assert Path(config.config_file(os.environ)).read_bytes() == before


def test_the_fast_path_asks_the_full_program_until_it_knows_and_after_every_change(home: Path) -> None:
    assert places.locate(os.environ) == str(home / ".password-store")
    (home / "work").mkdir()
    stores.add(config.load(), "work", "~/work")
    assert places.locate(os.environ) is None
    stores.open_store(config.load())
    assert places.locate(os.environ) == str(home / "work")
    assert places.stores(os.environ) == [("*work", str(home / "work"))]
    config.set_store("other", "/srv/other")
    assert places.locate(os.environ) is None
    stores.open_store(config.load())
    assert places.stores(os.environ) == [("*work", str(home / "work")), ("other", "/srv/other")]
    Path(config.config_file(os.environ)).unlink()
    assert places.locate(os.environ) == str(home / ".password-store")


@pytest.mark.parametrize("damage", [b"", b"\xff", b"{first}\n", b"{first}\n*work\trelative\n", b"{first}\n*work\t/x"])
def test_a_damaged_cache_counts_for_nothing(home: Path, damage: bytes) -> None:
    (home / "work").mkdir()
    stores.add(config.load(), "work", "~/work")
    stores.open_store(config.load())
    cache = Path(cache_file(os.environ, places.CACHE))
    first = cache.read_bytes().split(b"\n")[0]
    cache.write_bytes(damage.replace(b"{first}", first))
    expected = [] if damage == b"{first}\n" else None  # an intact cache of a file without stores
    assert places.stores(os.environ) == expected
    stores.open_store(config.load())
    assert places.locate(os.environ) == str(home / "work")


def test_a_cache_that_cannot_be_written_hinders_nobody(home: Path) -> None:
    (home / "work").mkdir()
    stores.add(config.load(), "work", "~/work")
    (home / ".cache").write_text("a file")
    assert stores.open_store(config.load()).root == str(home / "work")
    assert places.locate(os.environ) is None


names = st.from_regex(config.STORE_NAME, fullmatch=True)
paths = st.sampled_from(["~/a", "~/b b", "/srv/x", "~/é", "~", "/", "~/a/../c"])


@given(st.dictionaries(names, paths, max_size=4), st.data())
def test_the_fast_path_finds_what_the_full_program_finds(
    tmp_path_factory: pytest.TempPathFactory, known: dict[str, str], data: st.DataObject
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        for name in [name for name in os.environ if name.startswith(("PASSWORD_STORE_", "XDG_"))]:
            patch.delenv(name)
        patch.setenv("HOME", str(home))
        for name, path in known.items():
            config.set_store(name, path)
        if known and data.draw(st.booleans()):
            config.set_value("default-store", data.draw(st.sampled_from(sorted(known))))
        folder = data.draw(st.sampled_from(["", "/srv/environment", "relative"]))
        patch.setenv("PASSWORD_STORE_DIR", folder)
        settings = config.load()
        stores.open_store(settings, new=True)
        found = places.locate(os.environ)
        assert found is not None
        assert os.path.abspath(found) == stores.store_path(settings)
        listed = {name.removeprefix("*"): os.path.abspath(path) for name, path in places.stores(os.environ) or []}
        assert listed == {store.name: store.path for store in stores.known(settings)}
