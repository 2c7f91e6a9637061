"""Carrying out the plan of an import: one commit, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.errors import Busy
from clave.model.name import SUFFIX
from clave.model.secret import compare
from clave.store.operation import begin

if TYPE_CHECKING:
    from clave.exchange.planning import Plan, Step
    from clave.store.operation import Operation
    from clave.store.renewal import Progress
    from clave.store.store import Store


def carry_out(store: Store, plan: Plan, source: str, *, progress: Progress | None = None) -> int:
    """Write what a plan says; return of how many items. `source` is what the commit calls the file's format.

    Raises Busy if what the plan was made from has changed since, and as `Operation.commit`: nothing is written then.
    """
    steps = [step for step in plan.steps if step.writes]
    if not steps:
        return 0
    with begin(store, _common(steps)) as change:
        for step in steps:
            _write(change, plan, step)
        count = f"{len(steps)} {'entry' if len(steps) == 1 else 'entries'}"
        change.commit(f"Import {count} from {source} to store.", "import", progress=progress)
    return len(steps)


def _write(change: Operation, plan: Plan, step: Step) -> None:
    for name in {*step.entries, *step.before}:
        if change.content(name + SUFFIX) != plan.ciphertexts.get(name):
            raise Busy(f"{name} was changed meanwhile", "Import again: what is there already will be left as it is.")
    for name, plaintext in step.entries.items():
        old = step.before.get(name)
        kind = None if name in step.before and old is None else compare(old, plaintext)
        change.write(name, plaintext, kind=kind)
    for name in step.before.keys() - step.entries.keys():
        change.remove(name + SUFFIX)


def _common(steps: list[Step]) -> str:
    """Return the folder that all entries are in, which says which repository keeps them."""
    folders = {step.name.rpartition("/")[0] for step in steps}
    return folders.pop() if len(folders) == 1 else ""
