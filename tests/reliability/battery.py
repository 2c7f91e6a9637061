"""A run of everything that clave does with git, for stores, configurations and environments of every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conftest import Output, run_clave

if TYPE_CHECKING:
    from tests.reliability.conftest import Place


class Battery:
    """Runs clave in one place with one environment; every command must succeed unless a test says otherwise."""

    def __init__(self, place: Place, **environment: str) -> None:
        self._place = place
        self._environment = {"EDITOR": "sed -i s/first/second/", **environment}

    def __call__(self, *words: str, input: bytes = b"", code: int | None = 0) -> Output:
        done = run_clave(self._place.person, self._place.store, *words, input=input, **self._environment)
        assert code is None or done.code == code, (words, done.code, done.err.decode())
        return done

    def writes(self) -> None:
        """Every kind of write; the model follows."""
        state, store = self._place.state, self._place.store
        self("insert", "-m", "w/new", input=b"a new secret\n")
        self("insert", "-m", "-f", "a", input=b"a second value\nuser: me\n")
        self("edit", "a/b")
        self("mv", "w/new", "w/moved")
        self("cp", "team/", "w/copies")
        self("rm", "-f", "w/copies/x")
        self("init", "-p", "w", *state.readers["team"])
        self("generate", "w/generated", "16")
        state.entries |= {"w/moved": b"a new secret\n", "a": b"a second value\nuser: me\n"}
        state.entries |= {"a/b": b"second a/b\nuser: me\n", "w/copies/deep/y": b"first y\n", "w/generated": None}
        state.readers["w"] = state.readers["w/copies"] = state.readers["team"]
        self._place.checker.resolve(state)
        assert (store / "w" / "generated.gpg").exists()

    def reads_history(self) -> None:
        """Everything that reads the past, and what writes from it."""
        state = self._place.state
        assert b"a new secret" not in self("log", "w/moved").out
        assert self("log").out.count(b"\n") > 5
        assert self("show", "--at", "HEAD~7", "a").out == b"first a\n"
        self("diff", "a", "HEAD~7", code=1)
        self("restore", "a", "HEAD~7")
        state.entries["a"] = b"first a\n"
        self("undo")
        state.entries["a"] = b"a second value\nuser: me\n"
        assert self("a").out == state.entries["a"]
        self("grep", "second")
        self("ls")
