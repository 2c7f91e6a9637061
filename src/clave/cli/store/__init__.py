"""`clave store …`: the list of stores in the config file."""

from __future__ import annotations

from clave.cli._commands import Row
from clave.cli._lazy import LazyGroup

command = LazyGroup(
    "store",
    package="clave.cli.store",
    sections={
        "Commands": {
            "add": Row("add", "Give a store a name."),
            "list": Row("list", "List the stores that have a name.", ("ls",)),
            "default": Row("default", "Choose the store that is used where none is named."),
            "remove": Row("remove", "Forget a store's name; its files stay.", ("rm",)),
        }
    },
    help="""Know several stores.

    A store with a name is used with `-s STORE`, and one of its entries is `STORE:NAME`. Without either,
    the store is PASSWORD_STORE_DIR, else the default one, else ~/.password-store. `find` and the
    completion of names look into all of them.

    \b
    clave store add team ~/work/secrets
    clave show team:prod/db
    """,
)
