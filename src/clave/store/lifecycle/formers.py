"""Who knows values that they may not read any more, for `due`: asked of the history once for each commit and day.

The day, because in a plain store it depends on the user's keys, too, whose names are.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from clave.config import write_private
from clave.errors import CannotWrite
from clave.places import cache_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from clave.store.lifecycle.ages import History
    from clave.store.store import Store

_FOLDER = "formers"
_FORMAT = 1


def formers(store: Store, history: History, today: date) -> Mapping[str, tuple[str, ...]]:
    """Return by entry who knows its value and may not. Raises as `exposing.exposures`."""
    file = cache_of(os.environ, _FOLDER, os.path.join(history.repository.git_dir, history.place.below))
    key = [_FORMAT, history.head, today.isoformat()]
    with suppress(OSError, ValueError, TypeError, AttributeError):
        with open(file, "rb") as stream:
            known, found = json.loads(stream.read())
        if known == key:
            return {str(name): tuple(map(str, who)) for name, who in found.items()}
    from clave.store.lifecycle.exposing import exposed_names

    names = exposed_names(store)
    with suppress(CannotWrite):  # then it is asked again
        write_private(file, json.dumps([key, names]).encode())
    return names
