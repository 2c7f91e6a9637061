"""The rows of a store that has grown old, and of one that is filled at once: due, exposure, import."""

from __future__ import annotations

import csv
import io
import itertools
from typing import TYPE_CHECKING

from measure import Anew, Command, Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stage import Stage

IMPORTED = 5_000
_FOUND = '"$@"; [ $? -eq 1 ]'  # something is found: that is exit code 1


def due_first(stage: Stage) -> tuple[Side, Side]:
    """Ask what is due, where nothing is remembered of the history."""
    store = stage.aged()
    numbers = itertools.count()

    def forgotten() -> Mapping[str, str]:
        return {**stage.env(store), "XDG_CACHE_HOME": str(stage.home / f"cache-{next(numbers)}")}

    return Anew(["sh", "-c", _FOUND, "sh", "clave", "due", "-q"], forgotten, lambda _: None), _nothing(stage)


def due_again(stage: Stage) -> tuple[Side, Side]:
    """Ask it again."""
    env = stage.env(stage.aged())
    return Command(["sh", "-c", _FOUND, "sh", "clave", "due", "-q"], env, b""), _nothing(stage)


def exposure(stage: Stage) -> tuple[Side, Side]:
    """Ask what somebody knows who once read all entries."""
    env = stage.env(stage.aged())
    ask = Command(["sh", "-c", _FOUND, "sh", "clave", "exposure", "--former"], env, b"could read it")
    return ask, _nothing(stage)


def importing(stage: Stage) -> tuple[Side, Side]:
    """Import many entries into a store as one commit."""
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(("url", "username", "password", "totp", "extra", "name", "grouping", "fav"))
    for number in range(IMPORTED):
        url, user, password = f"https://{number}.example.org", f"user-{number}", f"correct-horse-{number}"
        rows.writerow((url, user, password, "", "a note", f"Site {number}", f"group-{number % 50}", "0"))
    path = str(stage.file("export.csv", table.getvalue()))

    def there(env: Mapping[str, str]) -> None:
        Command(["clave", "show", "group-7/Site 7"], env, b"correct-horse-7").check()

    ours = Anew(["clave", "import", "lastpass", path], lambda: stage.env(stage.copy(100)), there)
    return ours, _nothing(stage)


def _nothing(stage: Stage) -> Side:
    return Command(["/bin/true"], stage.env(), b"")
