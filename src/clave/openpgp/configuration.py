"""What gpg is configured to do, as its files say."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def configuration(options: Sequence[str]) -> list[str]:
    """Return the texts of the configuration files that gpg reads; any trouble is gpg's to report."""
    home = os.environ.get("GNUPGHOME") or os.path.expanduser("~/.gnupg")
    for at, option in enumerate(options):
        if option == "--homedir" and at + 1 < len(options):
            home = options[at + 1]
        elif option.startswith("--homedir="):
            home = option.partition("=")[2]
    texts = []
    for path in (os.path.join(home, "gpg.conf"), "/etc/gnupg/gpg.conf"):
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                texts.append(file.read())
        except OSError:
            continue
    return texts
