"""Settings come from defaults, file and environment, in this order; a wrong one is told, never guessed."""

from __future__ import annotations

import os
import stat
import string
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clave import config
from clave.errors import CannotWrite, UsageError


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path)}


def write(environ: dict[str, str], text: str | bytes) -> Path:
    file = Path(config.config_file(environ))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def test_without_a_file_the_defaults_are_those_of_pass(environ: dict[str, str]) -> None:
    settings = config.load(environ)
    assert settings.clip_seconds == 45
    assert settings.clip_selection == "clipboard"
    assert settings.generate_length == 25
    assert settings.generate_charset == "[:punct:][:alnum:]"
    assert settings.generate_charset_no_symbols == "[:alnum:]"
    assert settings.umask == 0o077
    assert settings.directory is None
    assert settings.keys == settings.gpg_options == settings.signing_keys == ()
    assert settings.stamp is None
    assert set(settings.origins.values()) == {"default"}


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(environ: dict[str, str]) -> None:
    write(environ, "[clip]\nseconds = 10\n[generate]\nlength = 30\n")
    environ |= {"PASSWORD_STORE_CLIP_TIME": "7", "PASSWORD_STORE_KEY": "A  B\tC", "PASSWORD_STORE_UMASK": "27"}
    settings = config.load(environ)
    assert (settings.clip_seconds, settings.generate_length) == (7, 30)
    assert settings.keys == ("A", "B", "C")
    assert settings.umask == 0o027
    assert settings.origins["clip.seconds"] == "PASSWORD_STORE_CLIP_TIME"
    assert settings.origins["generate.length"] == "file"


def test_an_empty_variable_is_one_that_is_not_set(environ: dict[str, str]) -> None:
    environ |= {"PASSWORD_STORE_CLIP_TIME": "", "PASSWORD_STORE_DIR": "", "PASSWORD_STORE_UMASK": ""}
    settings = config.load(environ)
    assert (settings.clip_seconds, settings.directory, settings.umask) == (45, None, 0o077)


def test_a_relative_xdg_folder_is_ignored(environ: dict[str, str]) -> None:
    assert config.config_file({**environ, "XDG_CONFIG_HOME": "here"}) == config.config_file(environ)
    assert config.config_file({**environ, "XDG_CONFIG_HOME": "/x"}) == "/x/clave/config.toml"


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("PASSWORD_STORE_CLIP_TIME", "soon"),
        ("PASSWORD_STORE_CLIP_TIME", "0"),
        ("PASSWORD_STORE_CLIP_TIME", "²"),
        ("PASSWORD_STORE_GENERATED_LENGTH", "-1"),
        ("PASSWORD_STORE_UMASK", "888"),
        ("PASSWORD_STORE_X_SELECTION", "buffer"),
    ],
)
def test_a_wrong_variable_is_named_with_its_value(environ: dict[str, str], variable: str, text: str) -> None:
    with pytest.raises(UsageError) as told:
        config.load({**environ, variable: text})
    assert variable in told.value.line()
    assert f"'{text}'" in told.value.line()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[clip]\nseconds = 5\nsecnds = 5\n", ["line 3", "'clip.secnds'"]),
        ("a = 1\n", ["line 1", "'a'"]),
        ("clip.seconds = 'five'\n", ["line 1", "'clip.seconds' must be a number"]),
        ("[clip]\n# why\nseconds = true\n", ["line 3", "'clip.seconds' must be a number"]),
        ("[clip]\nseconds = 0\n", ["line 2", "above zero"]),
        ("[ generate ]\ncharset = 3\n", ["line 2", "'generate.charset' must be text"]),
        ("PASSWORD_STORE_DIR = '/x'\n", ["line 1", "no setting 'PASSWORD_STORE_DIR'"]),
        ("[stores.work]\npath = 3\n", ["line 2", "'stores.work.path' must be text"]),
        ("[stores.work]\nurl = 'x'\n", ["line 2", "'stores.work.url'"]),
        ("[stores.'a b']\npath = '/x'\n", ["line 2", "must be the name of a store"]),
        ("default-store = 'work'\n", ["line 1", "names 'work', which is no store"]),
        ("x = 1\ny = [\n", ["is not TOML"]),
        ("a = 1\nb = = 2\n", ["line 2", "is not TOML"]),
        ("a = 1\na = 2\n", ["line 2", "is not TOML"]),
        (b"a = '\xff'\n", ["is not UTF-8"]),
    ],
)
def test_a_wrong_file_is_told_with_line_and_key(environ: dict[str, str], text: str | bytes, wanted: list[str]) -> None:
    file = write(environ, text)
    with pytest.raises(UsageError) as told:
        config.load(environ)
    line = told.value.line()
    assert str(file) in line
    assert all(part in line for part in wanted), line
    assert "\n" not in line


def test_a_file_that_cannot_be_read_is_an_error_not_an_empty_one(environ: dict[str, str]) -> None:
    Path(config.config_file(environ)).mkdir(parents=True)
    with pytest.raises(UsageError, match=r"cannot read .*config\.toml"):
        config.load(environ)


def test_a_written_value_keeps_comments_order_and_the_rest(environ: dict[str, str]) -> None:
    file = write(environ, "# mine\n[generate]\nlength = 20 # long\n\n[stores.a]\npath = '~/a' # here\n")
    config.set_value("generate.length", "40", environ)
    config.set_value("clip.seconds", "9", environ)
    config.set_value("default-store", "a", environ)
    text = file.read_text()
    assert "# mine\n" in text
    assert "length = 40 # long\n" in text
    assert "path = '~/a' # here\n" in text
    settings = config.load(environ)
    assert (settings.generate_length, settings.clip_seconds, settings.default_store) == (40, 9, "a")


def test_the_file_is_private_and_a_symlink_to_it_stays(environ: dict[str, str], tmp_path: Path) -> None:
    elsewhere = tmp_path / "dotfiles.toml"
    elsewhere.write_text("")
    link = Path(config.config_file(environ))
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere)
    config.set_value("clip.seconds", "9", environ)
    assert link.is_symlink()
    assert "seconds = 9" in elsewhere.read_text()
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == [".config", "dotfiles.toml"]


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("clip.second", "3", "Did you mean 'clip.seconds'?"),
        ("clip.seconds", "3s", "must be a whole number"),
        ("PASSWORD_STORE_DIR", "/x", "environment alone"),
        ("default-store", "nowhere", "there is no store 'nowhere'"),
        ("stores.work.path", "/x", "clave store"),
    ],
)
def test_what_cannot_be_set_changes_nothing(environ: dict[str, str], name: str, text: str, wanted: str) -> None:
    file = write(environ, "# kept\n")
    with pytest.raises(UsageError) as told:
        config.set_value(name, text, environ)
    assert wanted in told.value.line()
    assert file.read_text() == "# kept\n"


def test_a_broken_file_is_not_overwritten(environ: dict[str, str]) -> None:
    file = write(environ, "x = [\n")
    with pytest.raises(UsageError, match="is not TOML"):
        config.set_value("clip.seconds", "3", environ)
    assert file.read_text() == "x = [\n"


def test_unsetting_brings_the_default_back(environ: dict[str, str]) -> None:
    config.set_value("clip.seconds", "3", environ)
    config.set_value("clip.seconds", None, environ)
    config.set_value("generate.length", None, environ)
    assert config.load(environ).clip_seconds == 45


def test_a_full_disk_is_exit_73_and_leaves_the_old_file(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(environ, "[clip]\nseconds = 5\n")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotWrite, match="No space left"):
        config.set_value("clip.seconds", "6", environ)
    assert file.read_text() == "[clip]\nseconds = 5\n"
    assert [path.name for path in file.parent.iterdir()] == ["config.toml"]


def test_two_writers_lose_nothing(environ: dict[str, str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: config.set_store(f"s{n}", f"/stores/{n}", environ), range(24)))
    assert config.load(environ).stores == {f"s{n}": f"/stores/{n}" for n in range(24)}


names = st.from_regex(config.STORE_NAME, fullmatch=True)
paths = st.text(st.characters(codec="utf-8"), min_size=1).filter(str.isprintable)
charsets = st.text(string.printable + "é✓\u202e", min_size=1)


@given(names, paths, charsets, st.integers(1, 999_999))
def test_what_is_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, name: str, path: str, charset: str, length: int
) -> None:
    environ = {"HOME": str(tmp_path_factory.mktemp("home"))}
    config.set_store(name, path, environ)
    config.set_value("default-store", name, environ)
    config.set_value("generate.charset", charset, environ)
    config.set_value("generate.length", str(length), environ)
    settings = config.load(environ)
    assert settings.stores == {name: path}
    assert (settings.default_store, settings.generate_charset, settings.generate_length) == (name, charset, length)
    config.set_store(name, None, environ)
    settings = config.load(environ)
    assert (settings.stores, settings.default_store) == ({}, None)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    environ = {"HOME": str(tmp_path_factory.mktemp("home"))}
    write(environ, data)
    try:
        config.load(environ)
    except UsageError as told:
        assert "config.toml" in told.line()  # noqa: PT017 - both ends are fine


def test_every_key_of_the_table_is_a_field_and_its_default_parses() -> None:
    fields = set(config.Settings._fields)
    for key in config.KEYS:
        assert key.field in fields
        assert key.description.endswith(".")
        if key.default is not None:
            key.parse(key.default)
    assert len({key.name for key in config.KEYS}) == len(config.KEYS)
