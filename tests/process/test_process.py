"""Children: pipes served together, input late or early, output capped, and none left behind."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clave.errors import OutputTooLarge, ProgramMissing
from clave.process import STATUS_FD, limited, run, start

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PYTHON = sys.executable
ECHO = [PYTHON, "-c", "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"]


@settings(max_examples=10, deadline=None)
@given(data=st.binary(max_size=100), times=st.sampled_from([1, 1000, 5000]))
def test_what_goes_in_comes_out(data: bytes, times: int) -> None:
    assert run(ECHO, input=data * times).out == data * times


def test_input_may_be_told_at_the_start_or_at_the_end() -> None:
    long = bytes(300_000)  # more than a pipe holds
    with start(ECHO, input=long) as early, start(ECHO) as late:
        assert late.finish(long).out == long
        assert early.finish().out == long


def test_a_child_that_fills_every_pipe_is_served() -> None:
    code = (
        "import os, sys\n"
        "data = sys.stdin.buffer.read(10)\n"
        f"for _ in range(40):\n    [os.write(fd, bytes(10_000)) for fd in (1, 2, {STATUS_FD})]"
    )
    result = run([PYTHON, "-c", code], input=bytes(200_000), status=True)
    assert [len(each) for each in (result.out, result.err, result.status)] == [400_000] * 3
    assert result.code == 0


def test_output_above_the_limit_ends_the_child(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    code = f"import os, sys\nopen({str(mark)!r}, 'w').write(str(os.getpid()))\nwhile True: sys.stdout.write('x' * 9999)"
    with pytest.raises(OutputTooLarge):
        run([PYTHON, "-c", code], limit=100_000)
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


def test_output_up_to_the_limit_is_accepted() -> None:
    assert run(ECHO, input=bytes(1000), limit=1000).out == bytes(1000)
    with pytest.raises(OutputTooLarge):
        run(ECHO, input=bytes(1001), limit=1000)


def test_a_child_that_is_not_finished_is_ended() -> None:
    with start([PYTHON, "-c", "import time; time.sleep(60)"]) as child:
        pid = child._pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_missing_program_leaves_no_descriptor_open() -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(ProgramMissing, match="no-such-program"):
        start(["no-such-program"], status=True)
    assert os.listdir("/proc/self/fd") == before


def test_exit_codes_and_signals() -> None:
    assert run([PYTHON, "-c", "import sys; sys.exit(7)"]).code == 7
    assert run([PYTHON, "-c", "import os; os.kill(os.getpid(), 9)"]).code == -9


def test_the_environment_is_replaced_whole() -> None:
    result = run([PYTHON, "-c", "import os; print(sorted(os.environ))"], env={"PATH": os.environ["PATH"], "ONLY": "1"})
    assert b"HOME" not in result.out
    assert b"ONLY" in result.out


def test_a_child_has_the_default_signals() -> None:
    """Python ignores SIGPIPE; a child that inherited this would not end with its reader."""
    code = "import signal; print(signal.getsignal(signal.SIGXFSZ) is signal.SIG_DFL)"
    result = run(["sh", "-c", 'yes | head -1; trap; exec "$@"', "sh", PYTHON, "-S", "-c", code])
    assert result.out.startswith(b"y\n")
    assert result.err == b""


MIB = 1 << 20


def test_limited_work_gives_what_it_made() -> None:
    assert limited(lambda: b"x" * (3 * MIB), seconds=5, memory=64 * MIB, limit=4 * MIB) == b"x" * (3 * MIB)
    assert limited(lambda: b"", seconds=5, memory=64 * MIB, limit=1) == b""


def test_limited_work_leaves_no_trace_here() -> None:
    here: list[int] = []
    assert limited(lambda: here.append(1) or b"done", seconds=5, memory=64 * MIB, limit=9) == b"done"
    assert here == []


def _for_ever() -> bytes:
    while True:
        pass


def _fail() -> bytes:
    raise ValueError


@pytest.mark.parametrize(
    "work",
    [_for_ever, _fail, lambda: b"x" * (1 << 30), lambda: b"x" * (MIB + 1), lambda: os.kill(os.getpid(), 9)],
    ids=["time", "failure", "memory", "output", "signal"],
)
def test_limited_work_that_takes_more_gives_nothing(
    work: Callable[[], bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    before = os.listdir("/proc/self/fd")
    assert limited(work, seconds=1, memory=256 * MIB, limit=MIB) is None
    assert os.listdir("/proc/self/fd") == before
    assert capfd.readouterr() == ("", "")
