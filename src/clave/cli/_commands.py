"""The table of commands: name, where it lives, one line of help.

`--help` and TAB are answered from here, so they load no command. A test compares each line with the
command's own help. Imported by the fast path, which has to know what is a command: nothing heavy here.
"""

from __future__ import annotations


class Row:
    """One command: its module below `clave.cli`, the line that `--help` shows, its other names."""

    __slots__ = ("aliases", "help", "module")

    def __init__(self, module: str, help: str, aliases: tuple[str, ...] = ()) -> None:  # noqa: A002 - as in click
        self.module = module
        self.help = help
        self.aliases = aliases


SECTIONS: dict[str, dict[str, Row]] = {
    "Read": {
        "show": Row("show", "Show an entry, or list a folder."),
        "ls": Row("ls", "List the entries of a folder as a tree.", ("list",)),
        "find": Row("find", "List the entries whose names match.", ("search",)),
        "grep": Row("grep", "Search the decrypted text of all entries."),
        "clip": Row("clip", "Copy one field after another to the clipboard."),
        "pick": Row("pick", "Choose an entry by typing parts of its name."),
        "otp": Row("otp", "One-time codes of an entry."),
    },
    "Write": {
        "init": Row("init", "Make a store, or set the recipients of a folder."),
        "rekey": Row("rekey", "Encrypt anew what has other recipients than its .gpg-id says."),
        "insert": Row("insert", "Insert an entry.", ("add",)),
        "set": Row("set", "Set fields of an entry, leaving its other lines alone."),
        "edit": Row("edit", "Edit an entry in your editor, in memory only."),
        "generate": Row("generate", "Generate a password."),
        "rm": Row("rm", "Remove an entry or a folder.", ("remove", "delete")),
        "mv": Row("mv", "Move or rename an entry or a folder.", ("rename",)),
        "cp": Row("cp", "Copy an entry or a folder.", ("copy",)),
    },
    "Team": {
        "join": Row("join", "Get a store that others have, and ask to become a member of its team."),
        "team": Row("team", "Who belongs to the team of a store."),
        "group": Row("group", "Several members under one name."),
        "grant": Row("grant", "Let somebody read, or also write, a folder."),
        "revoke": Row("revoke", "Take rights on a folder from somebody."),
        "restrict": Row("restrict", "End that a folder inherits the rights on those above it."),
        "access": Row("access", "Who can read and write what."),
        "key": Row("key", "Your own keys in the team of a store."),
    },
    "Rotate": {
        "due": Row("due", "What has to be done: values that are too old, exposed, or about to end."),
        "rotate": Row("rotate", "Give an entry a new value, also where it is in force."),
        "exposure": Row("exposure", "Which values somebody who is gone knows."),
        "policy": Row("policy", "What a store wants of its entries: age, owner, how a password is made."),
    },
    "Share": {
        "sync": Row("sync", "Get what others have done, and share what you have."),
        "conflicts": Row("conflicts", "List what two people have changed in ways that could not be brought together."),
        "resolve": Row("resolve", "Choose between the two versions of an entry that could not be brought together."),
        "git-setup": Row("git_setup", "Set up git in the store, for people who use it or pass."),
        "verify": Row("verify", "Verify that what stands in a team store is what its team wrote."),
        "pin": Row("pin", "Show what is known of a team store from before, its pin."),
    },
    "Programs": {
        "exec": Row("exec", "Run a program with secrets in its environment.", ("run",)),
        "env": Row("env", "Print variables for a shell, or for another program that reads them."),
        "render": Row("render", "Render a template with secrets in it, to stdout or into a file."),
        "manifest": Row("manifest", "The file that says which secrets an application wants."),
        "allow": Row("allow", "Allow a manifest the secrets that it asks for."),
        "ci": Row("ci", "Run a program with a machine's key, which is gone afterwards."),
    },
    "Exchange": {
        "import": Row("import_", "Bring in the entries of another manager, or of a file."),
        "export": Row("export", "Write entries for another manager, or into a file."),
    },
    "History": {
        "log": Row("log", "Who changed what, and when.", ("history",)),
        "diff": Row("diff", "What changed in an entry, field by field."),
        "restore": Row("restore", "Bring back an earlier version of an entry."),
        "undo": Row("undo", "Take back the last operation, as a new commit."),
        "git": Row("git", "Run git in the store."),
    },
    "Setup": {
        "store": Row("store", "Know several stores."),
        "config": Row("config", "Read and change settings."),
        "doctor": Row("doctor", "Find and mend what is wrong with the set-up."),
        "completion": Row("completion", "Print the completion script of a shell."),
        "help": Row("help", "Show help for a command."),
        "version": Row("version", "Show the version."),
    },
}

COMMANDS: dict[str, Row] = {name: row for section in SECTIONS.values() for name, row in section.items()}
ALIASES: dict[str, str] = {alias: name for name, row in COMMANDS.items() for alias in row.aliases}
