"""`clave manifest …`: the file that says which secrets an application wants."""

from __future__ import annotations

from clave.cli._commands import Row
from clave.cli._lazy import LazyGroup

command = LazyGroup(
    "manifest",
    package="clave.cli.manifest",
    sections={
        "Commands": {
            "init": Row("init", "Make a manifest in this folder."),
            "add": Row("add", "Add a variable to the manifest."),
            "check": Row("check", "See whether all that the manifest asks for is there, and readable."),
        }
    },
    help="""The file that says which secrets an application wants.

    It is called clave.toml, lies in the application's folder and is committed with it: it holds the names of secrets,
    never a value. `clave exec` and `clave env` find it from every folder below.

    \b
    [store]                          which store: its team's id, or its URL
    url = "git@example.org:secrets.git"
    [env]
    API_TOKEN = "prod/api"           a reference: NAME, NAME#FIELD, clave://NAME#FIELD
    DB_URL = { template = "postgres://{prod/db#user}:{prod/db|url}@{prod/db#host}/app" }
    TLS_KEY = { secret = "tls/key", as = "file" }
    SENTRY = { secret = "sentry", optional = true }
    LOG_LEVEL = { value = "info" }
    [profiles.test]                  with -p test; has [env] too, unless inherit = false
    env.API_TOKEN = "test/api"

    A reference without field is the first line of the entry; of a key file, or data, it is the whole, as `#*` is of
    any. A table may also have default, encoding = "base64", and description. In a template {NAME|url}, {NAME|json} and
    {NAME|b64} write a value as that needs it; {{ and }} are braces.
    """,
)
