"""Stands for a command that has resolved its secrets: `python -m tests.delivery.driver JSON`, as clave would run it.

The document: mode ("replace", "supervise"), argv, extra (variables), pristine, masks, files (name → text), grace,
watch (a file whose text becomes the variable SECRET, masked; "fail" in it: cannot be resolved), log (a file for pids).
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from clave.cli._process import close_output, prepare, tell
from clave.config import umask  # noqa: F401 - loaded before, as a command does
from clave.delivery import child
from clave.delivery.files import Folder


def main() -> int:
    try:
        prepare()
        return run(json.loads(sys.argv[1]))
    except BaseException as failure:
        return close_output(tell(failure))


def run(plan: dict[str, Any]) -> int:
    extra = {name: value.encode() for name, value in plan.get("extra", {}).items()}
    env = child.environment(extra, pristine=plan.get("pristine", False))
    if plan["mode"] == "replace":
        child.replace(plan["argv"], env)
    folder = None
    if "files" in plan:
        folder = Folder.make()
        for name, value in plan["files"].items():
            env[name.encode()] = os.fsencode(folder.put(name, value.encode()))
    masks = [mask.encode() for mask in plan.get("masks", [])]
    return child.supervise(plan["argv"], env, masks=masks, files=folder, grace=plan.get("grace", 10.0))


if __name__ == "__main__":
    sys.exit(main())
