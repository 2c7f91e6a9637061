"""The wait of the clipboard's background process, with what every Unix has."""

from __future__ import annotations

import signal
import subprocess
import sys

WAIT = """
import signal, sys
del signal.sigtimedwait  # macOS has none
from clave.desk import clipboard
real = signal.signal
signal.signal = lambda *what: (real(*what), print("waiting", flush=True))
clipboard._wait(float(sys.argv[1]))
print("over")
"""


def _waiting(seconds: str) -> subprocess.Popen[bytes]:
    child = subprocess.Popen([sys.executable, "-c", WAIT, seconds], stdout=subprocess.PIPE)
    assert child.stdout
    assert child.stdout.readline() == b"waiting\n"
    return child


def test_it_ends_by_itself() -> None:
    assert _waiting("0.01").communicate(timeout=30) == (b"over\n", None)


def test_another_copy_ends_it() -> None:
    child = _waiting("3600")
    child.send_signal(signal.SIGTERM)
    assert child.communicate(timeout=30) == (b"over\n", None)
    assert child.returncode == 0
