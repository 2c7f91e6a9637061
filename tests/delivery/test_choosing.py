"""Which store is meant, what a variable is called, and what was allowed: each read back as it was written."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clave.delivery import allowing, names
from clave.delivery.choosing import variable_name
from clave.delivery.references import Reference
from clave.errors import UsageError
from clave.model.name import check
from clave.vcs import remote

SAME = [
    "git@example.org:team/secrets.git",
    "example.org:team/secrets",
    "alice@EXAMPLE.org:/team/secrets.git/",
    "ssh://git@example.org/team/secrets.git",
    "https://example.org/team/secrets",
    "HTTPS://user@example.org/team/secrets.git",
]


@pytest.mark.parametrize("url", SAME)
def test_one_place_has_many_urls(url: str) -> None:
    assert remote.place(url) == remote.place(SAME[0])


@pytest.mark.parametrize(
    "url",
    [
        "git@example.org:team/secrets2.git",
        "git@example.com:team/secrets.git",
        "https://example.org:8443/team/secrets",
        "https://example.org/secrets",
        "https://example.org.evil.net/team/secrets",
        "https://evil.net/example.org/team/secrets",
        "https://example.org@evil.net/team/secrets",
        "/example.org/team/secrets",
        "file:///example.org/team/secrets",
    ],
)
def test_another_place_has_none_of_them(url: str) -> None:
    assert remote.place(url) != remote.place(SAME[0])


def test_a_path_is_where_it_leads(tmp_path) -> None:
    (tmp_path / "store.git").mkdir()
    (tmp_path / "link.git").symlink_to("store.git")
    assert remote.place(f"file://{tmp_path}/link.git") == remote.place(str(tmp_path / "store.git"))


@given(st.text(max_size=30))
def test_every_path_makes_a_name_of_a_variable_or_none(path: str) -> None:
    name = variable_name(path)
    assert names.is_name(name) or not path
    assert name == name.upper()


entries = st.text(min_size=1, max_size=20)
fields = st.one_of(st.none(), st.text(min_size=1, max_size=10).filter(lambda text: text.isprintable() and text.strip()))
paths = (
    st.binary(min_size=1, max_size=80).filter(lambda data: b"\0" not in data).map(lambda data: "/" + os.fsdecode(data))
)


def is_name(text: str) -> bool:
    try:
        return check(text) == text
    except (UsageError, UnicodeEncodeError):
        return False


allowed = st.builds(
    allowing.Allowed,
    path=paths,
    stores=st.dictionaries(
        st.one_of(paths, st.just("0" * 32)),
        st.frozensets(st.builds(Reference, entries.filter(is_name), fields), max_size=4),
        max_size=3,
    ),
)


@settings(max_examples=80)
@given(record=allowed)
def test_what_is_allowed_is_read_back(record: allowing.Allowed, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp()))
        file = allowing._file(record.path)
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "wb") as stream:
            stream.write(allowing._text(record))
        try:
            assert allowing._read(file) == record
        finally:
            os.unlink(file)
