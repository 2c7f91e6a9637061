"""`python -m clave`: the same program as the installed `clave`."""

from __future__ import annotations

import sys

from clave.fast import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
