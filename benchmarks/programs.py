"""The row of programs: what it costs to start one with the secrets of a manifest."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from measure import Command, Side
from stage import entry

if TYPE_CHECKING:
    from stage import Stage

MANY = 30  # secrets of a manifest


def starting(stage: Stage) -> tuple[Side, Side]:
    """Start a program with all secrets of a manifest, and show one with pass."""
    env = stage.env(stage.store(1_000))
    wanted = "".join(f'SECRET_{number} = "{entry(number)}"\n' for number in range(MANY))
    manifest = str(stage.file("app/clave.toml", f"[env]\n{wanted}"))
    subprocess.run(["clave", "allow", "--sure", manifest], env=env, check=True, capture_output=True)
    last = MANY - 1
    check = f'test "$SECRET_{last}" = correct-horse-{last % 8}'
    subprocess.run(["clave", "exec", "--manifest", manifest, "--", "sh", "-c", check], env=env, check=True)
    ours = Command(["clave", "exec", "--manifest", manifest, "--", "true"], env, b"")
    return ours, Command(["pass", "show", entry(last)], env, f"correct-horse-{last % 8}".encode())
