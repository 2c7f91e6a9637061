"""clave that meets something at the Nth entry that it has encrypted anew. Run as a process of its own.

`python stopped.py WHAT N COUNT ARGUMENT…`: WHAT is `kill`, `interrupt` (^C), `agent` (gpg-agent is killed) or
`nothing`. The number of secret operations that the agent was asked for is written to the file COUNT.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from clave.fast import main
from clave.openpgp.agent import Agent
from clave.store.renewal import Kept


def meet(what: str, number: int) -> None:
    add, made = Kept.add, 0

    def counting(kept: Kept, mark: bytes, ciphertext: bytes) -> None:
        nonlocal made
        add(kept, mark, ciphertext)
        made += 1
        if made == number and what == "agent":
            argv = ["gpg-connect-agent", "GETINFO pid", "/bye"]
            answer = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
            os.kill(int(answer.split()[1]), signal.SIGKILL)
        elif made == number and what != "nothing":
            os.kill(os.getpid(), {"kill": signal.SIGKILL, "interrupt": signal.SIGINT}[what])

    Kept.add = counting


def count(path: str) -> None:
    ask, asked = Agent.ask, 0

    def counting(agent: Agent, *args: object) -> None:
        nonlocal asked
        asked += 1
        Path(path).write_text(str(asked))
        ask(agent, *args)

    Path(path).write_text("0")
    Agent.ask = counting


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in a job in the background it is ignored
    meet(sys.argv[1], int(sys.argv[2]))
    count(sys.argv[3])
    sys.exit(main(sys.argv[4:]))
