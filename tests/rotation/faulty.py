"""clave to which something happens before or after a step of the driver postgresql. Run as a process of its own:
`python faulty.py WHEN STEP FAULT FOLDER PORT ARGUMENT…`.

WHEN is `before` or `after`. FAULT is `kill`, `kill:N` (at the Nth step of the program from then on, as
tests/vcs/dying.py counts them), `stop` (the server at FOLDER and PORT), or `sql:STATEMENT` (by its administrator).
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from clave.fast import main
from clave.rotation.drivers.postgresql import PostgreSQL
from tests.rotation.cluster import Cluster
from tests.vcs.dying import inject


def happen(fault: str, server: Cluster) -> None:
    kind, _, what = fault.partition(":")
    if kind == "stop":
        server.stop()
    elif kind == "sql":
        server.sql(what)
    elif what:
        inject("kill", int(what))
    else:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    when, step, fault, folder, port, *arguments = sys.argv[1:]
    original = getattr(PostgreSQL, step)

    def faulty(self: PostgreSQL, *given: Any) -> Any:
        if when == "before":
            happen(fault, Cluster(Path(folder), int(port)))
        done = original(self, *given)
        if when == "after":
            happen(fault, Cluster(Path(folder), int(port)))
        return done

    setattr(PostgreSQL, step, faulty)
    sys.exit(main(arguments))
