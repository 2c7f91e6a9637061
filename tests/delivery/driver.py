"""Stands for a command that has resolved its secrets: `python -m tests.delivery.driver JSON`, as clave would run it.

The document: mode ("replace", "supervise"), argv, extra (variables), pristine, masks, files (name → text), grace;
secret: a file whose text becomes the variable SECRET, masked if `mask` is true. watch: the same of one that is watched,
and the text becomes the file KEY as well; if it begins with "fail", it cannot be resolved. sync: a file that is copied
over that one twice a second. portable: do without what only Linux has.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from clave.cli._process import close_output, prepare, tell
from clave.delivery import child, supervising
from clave.delivery.files import Folder
from clave.delivery.watching import Values, Watch
from clave.errors import NotFound


def main() -> int:
    try:
        prepare()
        return run(json.loads(sys.argv[1]))
    except BaseException as failure:
        return close_output(tell(failure))


def run(plan: dict[str, Any]) -> int:
    if plan.get("portable"):
        from clave.delivery import descendants, signals

        signals._LINUX = descendants._LINUX = False
        descendants._libc = None
    extra = {name: value.encode() for name, value in plan.get("extra", {}).items()}
    masks = [mask.encode() for mask in plan.get("masks", [])]
    if "secret" in plan:
        extra["SECRET"] = Path(plan["secret"]).read_bytes()
        masks += [extra["SECRET"]] if plan.get("mask") else []
    env = child.environment(extra, pristine=plan.get("pristine", False))
    if plan["mode"] == "replace":
        child.replace(plan["argv"], env)
    if "watch" in plan:
        return watched(plan, env)
    folder = None
    if "files" in plan:
        folder = Folder.make()
        for name, value in plan["files"].items():
            env[name.encode()] = os.fsencode(folder.put(name, value.encode()))
    return supervising.supervise(plan["argv"], env, masks=masks, files=folder, grace=plan.get("grace", 10.0))


def watched(plan: dict[str, Any], env: dict[bytes, bytes]) -> int:
    folder = Folder.make()
    path = Path(plan["watch"])

    def resolve() -> Values:
        text = path.read_bytes()
        if text.startswith(b"fail"):
            raise NotFound(f"there is no entry {text.decode()}")
        if text.startswith(b"crash"):
            raise RuntimeError(text)
        key = os.fsencode(os.path.join(folder.path, "KEY"))
        return Values({**env, b"SECRET": text, b"KEY": key}, [text] if plan.get("mask") else [], {"KEY": text})

    def sync() -> None:
        shutil.copyfile(plan["sync"], path)

    now = resolve()
    folder.put("KEY", now.files["KEY"])
    more: dict[str, Any] = {"sync": sync, "sync_every": 0.5} if "sync" in plan else {}
    watch = Watch(lambda: [str(path)], resolve, now=now, every=0.1, **more)
    grace = plan.get("grace", 10.0)
    return supervising.supervise(plan["argv"], now.env, masks=now.masks, files=folder, restart=watch, grace=grace)


if __name__ == "__main__":
    sys.exit(main())
