"""Items by chance, as nasty as a file of somebody else may hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from clave.exchange.item import Attachment, Field, Item, Past

# Whole characters that UTF-8 can hold, and those that rules are about more often.
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12) | st.text(
    st.sampled_from(list(" \t\r\n\0:%/,\\-.#ab2Fé(){}\"'")), max_size=12
)
_nasty = st.sampled_from(
    [
        "user: x",
        " user: x",
        "  a: b",
        "otpauth://totp/a?secret=AA",
        "\\otpauth://x",
        "\\ otpauth://x",
        " otpauth://x",
        "---",
        "---\nuser: x",
        "-----BEGIN PRIVATE KEY-----\nAA",
        "(in files: a)",
        "(in files: notes)",
        "a\r\nb\r\n",
        "\n\n",
        "%",
        "%%",
        "%41",
        "%%41",
        "a.files",
        "b.HISTORY",
        "AC/DC",
        "-rf",
        ".git",
        "..",
        "x" * 300,
    ]
)
values = texts | _nasty
_names = values | st.sampled_from(
    [
        "user",
        "User",
        "username",
        "login",
        "url",
        "URL",
        "title",
        "Title",
        "folder",
        "tags",
        "expires",
        "created",
        "modified",
        "otp",
        "notes",
        "password",
        "pass",
        "public",
        "protected",
        "attachment",
        "host",
    ]
)
moments = st.none() | st.datetimes(timezones=st.just(UTC)) | st.just(datetime(2026, 1, 31, tzinfo=UTC))
optional = st.none() | values.filter(bool)
_files = st.builds(Attachment, _names, st.binary(max_size=20) | values.map(str.encode))
_seeds = texts.map(lambda rest: "otpauth://totp/" + rest)

_old = st.builds(
    Item,
    title=values,
    folder=st.lists(values, max_size=2).map(tuple),
    password=optional,
    user=optional,
    urls=st.lists(values.filter(bool), max_size=2).map(tuple),
    notes=optional,
    otp=st.lists(_seeds, max_size=2).map(tuple),
    fields=st.lists(st.builds(Field, _names, values, st.booleans()), max_size=4).map(tuple),
    tags=st.lists(values, max_size=3).map(tuple),
    attachments=st.lists(_files, max_size=2).map(tuple),
    created=moments,
    modified=moments,
    expires=moments,
)
items = st.builds(
    lambda item, history: replace(item, history=tuple(history)),
    _old,
    st.lists(st.builds(Past, moments, _old), max_size=2),
)
