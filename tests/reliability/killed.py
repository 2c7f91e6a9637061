"""clave that is killed at its Nth step. Run as a process of its own: `python killed.py N ARGUMENT…`.

The steps are those of tests/vcs/dying.py: each open for writing, link, rename, removal, new folder and started
program, just before it happens.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from clave.fast import main
from tests.vcs.dying import inject

if __name__ == "__main__":
    inject("kill", int(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
