"""`clave policy …`: what a store wants of its entries."""

from __future__ import annotations

from clave.cli._commands import Row
from clave.cli._lazy import LazyGroup

command = LazyGroup(
    "policy",
    package="clave.cli.policy",
    default="show",
    sections={
        "Commands": {
            "show": Row("show", "Show what is wanted of an entry, and which line says so."),
            "set": Row("set", "Set what is wanted of the entries that a pattern matches."),
            "check": Row("check", "Look for what is wrong with the policy."),
        }
    },
    subcommand_metavar="[COMMAND] …",
    help="""What a store wants of its entries: age, owner, how a password is made.

    It stands in .clave/policy.toml, by pattern. A pattern holds for the name that it matches and for all below it: `*`
    is anything but a slash, `**` any number of folders. The most specific pattern wins, key by key. In a team admins
    change the policy, in a plain store anybody who may write.

    \b
    rotate          an age at which a value is due: 90d, 26w, 1y, or never
    expires         a day from which on it is good for nothing: 2027-01-31
    on              events that make it due: leaver, exposure (where nothing is said, both)
    owner           whose duty it is: a member, @group, or anybody by name
    driver          how it is rotated, and driver_options
    generate        length, symbols, charset, exclude_similar; or words
    min_entropy     bits that a password must have

    A calendar is for the secrets of machines. Passwords that people remember are better changed when something has
    happened, as NIST SP 800-63B says: people who must change them on a day choose weaker ones. Give them
    rotate = "never", and leave the events.
    """,
)
