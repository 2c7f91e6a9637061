"""An import into a team's store is a write as any: its rights, its signature; an export wants a verified store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.teams import crew, founded, team  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from tests.teams import Team

DATA = json.dumps({"format": "clave-items", "version": 1, "items": [{"title": "x", "password": "p"}]}).encode()


def test_an_import_and_an_export_in_a_team(team: Team):  # noqa: F811
    head = team.head("bob")
    refused = team.clave("bob", "import", "-", "--into", "prod", input=DATA, code=None)
    assert refused.code not in (0, 1)
    assert team.head("bob") == head
    team.clave("bob", "import", "-", "--into", "free", input=DATA)
    assert team.git("bob", "log", "-1", "--format=%G?").out.strip() in (b"G", b"U")
    team.clave("bob", "verify")
    team.clave("bob", "export", "json", "free", "--plaintext")
    # Somebody changes an entry without a signature: nothing of it is exported.
    team.git("bob", "-c", "user.name=x", "-c", "user.email=x@y", "rm", "-q", "free/x.gpg")
    team.git("bob", "-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qm", "x", "--no-gpg-sign")
    unverified = team.clave("bob", "export", "json", "--plaintext", code=None)
    assert (unverified.code, unverified.out) == (6, b"")
