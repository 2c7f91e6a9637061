"""A target of a rotation: a file that holds the passwords that work, and a program of a user's that changes it.

The program is what `clave rotate --driver command:NAME` starts. It does what the file `faults` beside the target says
for a step: `kill:before` and `kill:after` kill clave itself, `fail` and `away` end with an exit code.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from clave.model.secret import Secret

PROGRAM = """\
#!/usr/bin/python3 -IS
import json, os, signal, sys
here = os.path.dirname(os.path.abspath(__file__))
asked = json.load(sys.stdin)
step = sys.argv[1]
with open(here + "/calls", "a") as file:
    file.write(json.dumps({"argv": sys.argv[1:], **asked, "environ": dict(os.environ)}) + "\\n")
faults = json.load(open(here + "/faults")) if os.path.exists(here + "/faults") else {}
fault = faults.get(step, "")
if fault == "fail":
    print("the server said: no such user", file=sys.stderr)
    sys.exit(1)
if fault == "away" or os.path.exists(here + "/away"):
    print("no route to host", file=sys.stderr)
    sys.exit(75)
if fault == "kill:before":
    os.kill(os.getppid(), signal.SIGKILL)
    sys.exit(1)
first = lambda key: asked[key].split("\\n")[0]
works = lambda: open(here + "/works").read()
def put(value):
    with open(here + "/works", "w") as file:
        file.write(value)
if step == "set":
    put(first("pending"))
elif step == "test" and works() != first("pending"):
    print("login failed", file=sys.stderr)
    sys.exit(1)
elif step == "abort":
    put(first("current"))
elif step == "create" and "user" in asked["options"]:
    sys.stdout.write(asked["new"] + "\\nuser: " + asked["options"]["user"] + "\\n")
if fault == "kill:after":
    os.kill(os.getppid(), signal.SIGKILL)
if step == "set":
    print("changed to " + first("pending") + "\\x1b[2J")
"""


class Service:
    """The target and its program, in a folder."""

    def __init__(self, folder: Path, password: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.program = folder / "change"
        self.program.write_text(PROGRAM)
        self.program.chmod(0o700)
        (folder / "works").write_text(password)

    def lets_in(self, password: bytes) -> bool:
        return (self.folder / "works").read_bytes() == password

    def works(self, secret: Secret) -> bool:
        return self.lets_in(secret.password)

    def faults(self, **by_step: str) -> None:
        (self.folder / "faults").write_text(json.dumps(by_step))

    def break_off(self) -> None:
        (self.folder / "away").touch()

    def mend(self) -> None:
        (self.folder / "away").unlink(missing_ok=True)
        (self.folder / "faults").unlink(missing_ok=True)

    def calls(self) -> list[dict[str, object]]:
        """Return what the program was called with, and forget it."""
        file = self.folder / "calls"
        found = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        file.unlink(missing_ok=True)
        return found

    def steps(self) -> list[object]:
        return [call["step"] for call in self.calls()]
