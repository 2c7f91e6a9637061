"""Items ↔ plaintexts: exact both ways."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from clave.exchange import mapping, naming
from clave.model.name import check_new
from tests.exchange.items import items, values


@settings(max_examples=120, deadline=None)
@given(items)
def test_an_item_is_the_same_after_the_store(item):
    name = mapping.default_name(item)
    written = mapping.entries(item, name)
    assert mapping.items(written) == [item]
    assert mapping.items(written, exact=True) == [item]


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["a", "a.files/x", "a.files/y", "a.history", "b/c"]),
        st.binary(max_size=60)
        | values.map(str.encode)
        | st.lists(values, max_size=5).map(lambda lines: "\n".join(lines).encode()),
    )
)
def test_the_entries_of_a_store_are_the_same_after_the_items(plaintexts):
    again = {}
    for item in mapping.items(plaintexts, exact=True):
        name = "/".join((*item.folder, item.title)) if item.plain is not None else mapping.default_name(item)
        again |= mapping.entries(item, name)
    assert again == plaintexts


@given(values)
def test_a_component_is_safe_and_stays(text):
    name = naming.component(text)
    assert check_new(name) == name
    assert naming.component(name) == name
    assert len(name.encode()) <= naming.MAX_BYTES + 1
