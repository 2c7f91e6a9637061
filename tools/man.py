#!/usr/bin/env python3
"""Write the manual pages `man/clave.1` and `man/clave-COMMAND.1` from the commands' own help.

tools/man.py            write them
tools/man.py --check    only tell which are not up to date; exit 1 if any
"""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from clave import __version__, errors
from clave.cli._commands import SECTIONS
from clave.cli._lazy import LazyGroup
from clave.cli.main import root
from clave.config import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "man"

# What a word of a synopsis is: in one command (`store add NAME`), or in every other that has it.
ARGUMENTS = {
    "ARGUMENTS": "What git shall do, as for git(1).",
    "CMD": "The program and its arguments. What follows its name is its own, whatever it looks like.",
    "allow FILE": "A manifest, by its name (.toml, .yml), or a .env file.",
    "check FILE": "A manifest.",
    "REFERENCE": "An entry, or a field of it: `NAME`, `NAME#FIELD`, `clave://NAME#FIELD`. With `-t` a text with such "
    "in braces.",
    "VARIABLE": "The name of a variable: letters, digits and `_`, no digit first.",
    "COMMAND": "The name of a command, and of a command of it.",
    "FIELD": "A field of the entry, in any case: `password` is the first line, `otp` the one-time code of now, `notes` "
    "the lines that are no field, and any other the value of a line `FIELD: value`. `user` also finds `username` "
    "and `login`.",
    "set FIELD": "A field of the entry, in any case. `password` is the first line, any other a line `FIELD: value`.",
    "FOLDER": "A folder of the store, or with `STORE:FOLDER` of another one.",
    "KEY": "The name of a setting.",
    "init KEY": "Whose the store or folder is: a fingerprint, which is best, or another name of a key.",
    "FILE": "A file on this machine.",
    "FORMAT": "The name of a format: `--formats` lists them.",
    "import FILE": "The file, or the folder of another store; `-` is standard input.",
    "GROUP": "The name of a group of the team, with or without @.",
    "LENGTH": "How many characters.",
    "NAME": "The name of an entry: its path in the store, as in `work/db`. `STORE:NAME` is one of another store.",
    "log NAME": "The name of an entry or a folder.",
    "rekey NAME": "The name of an entry or a folder.",
    "restore NAME": "The name of an entry or a folder.",
    "rotate NAME": "The name of an entry; with --due or --exposed-to also of a folder.",
    "rm NAME": "The name of an entry or a folder.",
    "show NAME": "The name of an entry or a folder: its path in the store, as in `work/db`. `STORE:NAME` is one of "
    "another store.",
    "store add NAME": "What the store shall be called: letters, digits, `.`, `_` and `-`.",
    "store default NAME": "The name of the store.",
    "store remove NAME": "The name of the store.",
    "MEMBER": "The name of a member of the team.",
    "team add MEMBER": "What they shall be called in the team: a-z, 0-9, `.`, `_` and `-`.",
    "team add FILE": "Their public key, as `gpg --export` writes it.",
    "access NAME": "The name of an entry or a folder.",
    "key add FINGERPRINT": "The fingerprint of a key whose secret part you have.",
    "key renew FILE": "The public key as they sent it, as `gpg --export` writes it.",
    "team key add FILE": "The public key, as `gpg --export` writes it.",
    "team key replace FILE": "The new public key, as `gpg --export` writes it.",
    "team machine MEMBER": "What the machine shall be called in the team: a-z, 0-9, `.`, `_` and `-`.",
    "ROLE": "`admin` or `member`.",
    "WHO": "A member of the team, or a group: `@ops`.",
    "NEW": "Where it goes: a new name, or a folder.",
    "OLD": "The entry or folder that it is.",
    "PATH": "A folder on this machine.",
    "due PATH": "An entry or a folder of the store.",
    "policy set PATTERN": "Names of folders and of an entry, with `*`, `?` and `**`, as in `prod/*/db`. It holds for "
    "what it matches and for everything below.",
    "KEY=VALUE": "A key of the policy and its value, as in `rotate=90d`.",
    "policy show NAME": "The name of an entry, which need not be there yet.",
    "export PATH": "An entry or a folder of the store.",
    "PATTERN": "What to look for, unless -e says it.",
    "QUERY": "Letters of the name, in their order; there may be others between them.",
    "REV": "A version: `-N` is N versions of the entry earlier, `YYYY-MM-DD` the state at the end of a day, anything "
    "else a commit, as git takes it.",
    "SHELL": "`bash`, `zsh` or `fish`.",
    "TEMPLATE": "The file with the template.",
    "TERM": "A part of a name.",
    "verify OLD": "With --incoming: the commit that a branch has, zeros for none.",
    "verify NEW": "With --incoming: the commit that it is to have.",
    "REF": "The branch, in full, as in `refs/heads/main`.",
    "team approve FILE": "The key that they sent you.",
    "team approve MEMBER": "What they are called in the team from now on.",
    "URL": "Where the store is: an https or ssh URL, or a path.",
    "URI": "The key URI, `otpauth://…`.",
    "VALUE": "The new value.",
}

# What ends a command: exit codes, with a text where the general one says too little; variables that matter to it
# alone; other pages. A group speaks for its commands.
_READ = {2: "", 3: "", 4: "", 8: ""}
_WRITE = {**_READ, 5: "", 6: "", 7: "", 73: "", 75: "", 130: ""}
_KEPT = "You answered no, and nothing was changed."
_TEAM = {
    **_WRITE,
    1: f"{_KEPT[:-1]}; or it was done, and entries are left that somebody else has to encrypt anew.",
    6: "The store is not verified, or you are no admin of its team.",
    75: "The store is busy; or it was done here, and is not shared with the others yet.",
}
_CLIP = ("PASSWORD_STORE_CLIP_TIME", "PASSWORD_STORE_X_SELECTION", "DISPLAY, WAYLAND_DISPLAY")
_GENERATE = (
    "PASSWORD_STORE_GENERATED_LENGTH",
    "PASSWORD_STORE_CHARACTER_SET",
    "PASSWORD_STORE_CHARACTER_SET_NO_SYMBOLS",
)


class Ends(NamedTuple):
    """The exit codes of a command beside 0, the variables of its own, and the pages to read next."""

    codes: dict[int, str]
    variables: tuple[str, ...]
    pages: tuple[str, ...]


ENDS = {
    "show": Ends({**_READ, 7: "There is no git history that `--at` could look into."}, _CLIP, ("clip", "ls", "otp")),
    "ls": Ends({2: "", 3: "There is no such folder, or no store."}, (), ("find", "show")),
    "find": Ends({1: "Nothing matches.", 3: "There is no store."}, (), ("grep", "ls", "pick")),
    "grep": Ends({1: "No line matches.", **_READ, 4: "An entry cannot be decrypted."}, (), ("find",)),
    "clip": Ends({**_READ, 130: "You stopped before the last field."}, _CLIP, ("show", "otp")),
    "pick": Ends({1: "No entry fits, or none was chosen.", **_READ}, _CLIP, ("find", "show")),
    "otp": Ends({1: _KEPT, **_WRITE, 3: "There is no such entry, or it has no OTP secret."}, _CLIP, ("show", "clip")),
    "init": Ends(
        {**_WRITE, 4: "An entry that would have to be encrypted anew cannot be read. Nothing was changed."},
        ("PASSWORD_STORE_SIGNING_KEY",),
        ("doctor", "git"),
    ),
    "rotate": Ends(
        {
            **_WRITE,
            1: "A step failed, and both values are kept; somebody else is rotating the entry; it has changed; "
            "--list: there are rotations under way; --due, --exposed-to: not all were rotated.",
            2: "",
            75: "The remote or the place where the value is in force cannot be reached. What is said tells whether "
            "anything was begun, and how it goes on.",
        },
        _GENERATE,
        ("due", "policy", "show"),
    ),
    "rekey": Ends(
        {
            **_WRITE,
            1: "--check: there are such entries. In a team's store: some are left that somebody else has to do.",
            4: "An entry that would have to be encrypted anew cannot be read. Nothing was changed.",
        },
        (),
        ("init", "ls", "doctor"),
    ),
    "team": Ends(_TEAM, (), ("grant", "access", "group")),
    "key": Ends(
        {**_TEAM, 1: "Something is left for an admin to do; it is told what.", 4: "", 5: ""}, (), ("team", "rekey")
    ),
    "group": Ends(_TEAM, (), ("grant", "team")),
    "grant": Ends({**_TEAM, 3: "There is no such folder."}, (), ("revoke", "restrict", "access", "team")),
    "revoke": Ends(
        {
            **_TEAM,
            1: f"{_KEPT[:-1]}; or it was done, and they have the right in another way too, or entries are left that "
            "somebody else has to encrypt anew.",
            3: "There is no such folder.",
        },
        (),
        ("grant", "restrict", "access", "team"),
    ),
    "restrict": Ends({**_TEAM, 3: "There is no such folder."}, (), ("grant", "revoke", "access")),
    "due": Ends(
        {
            1: "Something is due, or with --scan an entry could not be read.",
            2: "The policy is broken, and the line is told.",
            3: "There is no such entry or folder.",
            4: "--scan: the key is locked.",
            6: "",
            7: "--scan: the store has no history in git.",
            73: "The calendar cannot be written.",
        },
        ("XDG_CACHE_HOME",),
        ("policy", "rotate", "exposure"),
    ),
    "policy": Ends(
        {
            1: "`check`: something is wrong with the policy.",
            2: "The policy is broken, and the line is told; or it would be after that. Nothing was changed.",
            6: "The store of a team is not verified, or you are no admin of it.",
            7: "",
            73: "",
            75: "",
        },
        (),
        ("due", "generate", "rotate"),
    ),
    "exposure": Ends(
        {
            1: "A value in use is known to somebody who is gone.",
            2: "",
            3: "Nobody is known by that name.",
            6: "",
            7: "The store has no history in git.",
        },
        (),
        ("team", "generate", "log"),
    ),
    "access": Ends({2: "", 3: "", 6: ""}, (), ("grant", "team", "rekey")),
    "exec": Ends(
        {
            2: "",
            3: "A secret is not there, or no manifest.",
            4: "A secret cannot be read; who can is told.",
            6: "A manifest has not been allowed what it asks for, or the store of a team is not verified.",
            126: "The program cannot be run.",
            127: "There is no such program. Any other code is the program's own; with `--mask`, `--watch` or files it "
            "is 128 and the number of the signal that ended it.",
        },
        ("PASSWORD_STORE_DIR", "CLAVE_ROOT"),
        ("env", "manifest", "allow", "render", "ci"),
    ),
    "manifest": Ends(
        {
            2: "",
            3: "There is no manifest, or a secret is not there.",
            4: "`check`: a secret cannot be read; who can is told.",
            6: "",
            73: "",
        },
        (),
        ("exec", "env", "allow"),
    ),
    "allow": Ends(
        {2: "", 3: "There is no such file, or nothing to take back.", 6: "You answered no, or nobody could be asked."},
        (),
        ("exec", "env", "manifest"),
    ),
    "ci": Ends(
        {
            2: "",
            3: "There is no file with the key.",
            126: "The program cannot be run.",
            127: "There is no such program. Any other code is the program's own, 128 and the number of the signal that "
            "ended it.",
        },
        ("CLAVE_ROOT", "PASSWORD_STORE_DIR"),
        ("exec", "team", "pin"),
    ),
    "env": Ends(
        {
            **_READ,
            2: "There is nothing to print, a name is refused, a value cannot be written in that format, or the values "
            "would land on a terminal. Nothing was printed.",
            6: "The store is not verified, or the manifest has not been allowed what it asks for.",
            73: "The file of a GitHub job cannot be written.",
        },
        ("GITHUB_ENV",),
        ("exec", "manifest", "allow", "render"),
    ),
    "render": Ends(
        {
            **_READ,
            1: "--check: FILE is not what the template makes now.",
            2: "The template is wrong, and the line says where; or FILE is a link, or no file. Nothing was written.",
            6: "The store is not verified, or the template has not been allowed what it asks for.",
            73: "",
        },
        (),
        ("env", "exec", "allow"),
    ),
    "insert": Ends(
        {
            1: f"{_KEPT[:-1]}; or you typed two different passwords, or one that is weaker than the policy wants.",
            **_WRITE,
        },
        (),
        ("generate", "set"),
    ),
    "set": Ends({1: "The password is weaker than the policy wants.", **_WRITE}, (), ("edit", "show")),
    "edit": Ends(
        {
            1: "The text was left as it was, the editor failed, or both texts were kept: the entry had changed.",
            **_WRITE,
        },
        ("EDITOR, VISUAL", "XDG_RUNTIME_DIR"),
        ("set", "diff"),
    ),
    "generate": Ends(
        {1: f"{_KEPT[:-1]}; or the password would be weaker than the policy wants.", **_WRITE},
        (*_GENERATE, *_CLIP),
        ("insert", "set"),
    ),
    "rm": Ends({1: _KEPT, **_WRITE}, (), ("restore", "undo")),
    "mv": Ends({1: _KEPT, **_WRITE}, (), ("cp", "undo")),
    "cp": Ends({1: _KEPT, **_WRITE}, (), ("mv", "undo")),
    "join": Ends(
        {
            2: "",
            5: "Your key cannot be encrypted to.",
            6: "The words are not the same, or a commit is refused. Of a store that is another one nothing is left.",
            7: "The remote is empty, or does not let you in.",
            73: "",
            75: "The remote cannot be reached.",
            130: "",
        },
        ("CLAVE_ROOT", "XDG_DATA_HOME"),
        ("pin", "verify", "team", "sync"),
    ),
    "sync": Ends(
        {
            1: "Two changes could not be brought together and both are kept, or one of the team has to be made again.",
            2: "The URL of the remote is one that is not used.",
            3: "There is no store.",
            4: "An entry that both sides have changed cannot be read: a key is locked.",
            5: "An entry has to be encrypted anew, and a recipient cannot be encrypted to.",
            6: "What comes is refused, or something is not signed. What was good before it is there.",
            7: "There is no remote, its branch is gone, it declines, or an uncommitted change is in the way.",
            73: "",
            75: "The remote cannot be reached, or others were faster five times.",
            130: "",
        },
        (),
        ("conflicts", "resolve", "verify", "git-setup"),
    ),
    "conflicts": Ends({1: "There are conflicts.", 3: "There is no store."}, (), ("resolve", "sync")),
    "resolve": Ends(
        {**_WRITE, 1: "You chose nothing, and both are still there.", 3: "The entry has no conflict."},
        ("EDITOR, VISUAL",),
        ("conflicts", "sync", "diff"),
    ),
    "git-setup": Ends({2: "", 3: "There is no store.", 6: "", 7: ""}, (), ("git", "sync")),
    "verify": Ends(
        {
            2: "The store has no team.",
            3: "There is no store.",
            6: "A commit is refused, nothing is known of the store yet, or --strict: there is a warning.",
            7: "",
        },
        ("CLAVE_ROOT",),
        ("pin", "sync", "join"),
    ),
    "pin": Ends(
        {
            2: "The store has no team, or a pin already.",
            3: "There is no store.",
            6: "The words are not the same, what is to be pinned is refused, or you answered no. The pin is as it was.",
            7: "",
            73: "",
            75: "The remote cannot be reached.",
        },
        ("CLAVE_ROOT", "XDG_STATE_HOME"),
        ("verify", "join", "sync"),
    ),
    "import": Ends(
        {
            **_WRITE,
            2: "The file is in no format that is read, or damaged; an entry is there with another content and nothing "
            "says what to do; or something is not carried, and that was not accepted. Nothing was changed.",
            3: "There is no such file, or no store.",
            4: "The password of the file is wrong, or an entry of the other store cannot be read. Nothing was changed.",
        },
        (),
        ("export", "insert", "undo"),
    ),
    "export": Ends(
        {
            **_READ,
            2: "The file is there already, anybody could read it and that was not wanted, or something is not carried "
            "and that was not accepted. Nothing was written.",
            5: "A key of --encrypt-to cannot be encrypted to.",
            6: "The store is not verified.",
            73: "",
        },
        (),
        ("import", "env", "render"),
    ),
    "log": Ends({2: "", 3: "", 7: "The store has no git history."}, (), ("diff", "restore", "undo")),
    "diff": Ends({1: "Something differs.", **_READ, 7: "The store has no git history."}, (), ("log", "restore")),
    "restore": Ends(_WRITE, (), ("log", "diff", "undo")),
    "undo": Ends(
        {**_WRITE, 2: "The last operation is one that is not undone.", 3: "There is none."}, (), ("log", "restore")
    ),
    "git": Ends(
        {
            0: "git did what it was told. Every other exit code of git is handed on.",
            3: "There is no store.",
            6: "In a team store, pull, merge, rebase and reset are refused: clave-sync(1) verifies what comes.",
            7: "The store is no git repository, or git is not installed.",
        },
        (),
        ("log", "undo"),
    ),
    "store": Ends({2: "", 3: "There is no store of that name.", 73: ""}, ("PASSWORD_STORE_DIR",), ("config",)),
    "config": Ends({1: "`get`: the setting has no value.", 2: "", 73: ""}, (), ("store",)),
    "doctor": Ends({1: "Something needs attention.", 73: "Something cannot be mended."}, (), ("config", "init")),
    "completion": Ends({2: "", 3: "This installation lacks the script."}, (), ()),
    "help": Ends({2: "There is no such command."}, (), ()),
    "version": Ends({}, (), ()),
}

# Variables that are no settings of `config.KEYS`. A test looks for those that the program reads.
VARIABLES = {
    "CLAVE_DEBUG": "With `1`, an error is shown with its traceback. It may hold names and paths.",
    "CLAVE_ROOT": "The words of the store (`clave pin --words`), for a machine with a fresh clone: it is verified by "
    "them when it is first used, and any other store is refused.",
    "CLAVE_YES": "With `1`, “overwrite?” and “delete?” are answered with yes, and nothing else.",
    "DBUS_SESSION_BUS_ADDRESS": "The desktop session whose keyring `import keyring` reads.",
    "DISPLAY, WAYLAND_DISPLAY": "The display whose clipboard is used.",
    "EDITOR, VISUAL": "The editor of `clave edit`, which may have arguments.",
    "GIT_AUTHOR_NAME, GIT_AUTHOR_EMAIL, GIT_COMMITTER_NAME, GIT_COMMITTER_EMAIL, EMAIL": "Who is said to have made a "
    "commit, as for git(1).",
    "GIT_DIR": "The bare repository that git runs `verify --incoming` in, as its hook; git sets it.",
    "GITHUB_ENV": "The file that GitHub gives a step for variables of those that follow.",
    "GNUPGHOME": "The folder of GnuPG's keys, where not `~/.gnupg`.",
    "GPG_TTY": "The terminal on which pinentry asks; found out if it is not set.",
    "LC_ALL, LC_CTYPE, LANG": "Whether a tree is drawn in UTF-8.",
    "NO_COLOR": "If set, nothing is coloured.",
    "XDG_CACHE_HOME": "The folder of caches, if not `~/.cache`.",
    "XDG_CONFIG_HOME": "The folder of config files, if not `~/.config`.",
    "XDG_DATA_HOME": "The folder in which `clave join --as` puts a store, if not `~/.local/share`.",
    "XDG_RUNTIME_DIR": "A folder in RAM, where `clave edit` keeps its text; else `/dev/shm`.",
    "XDG_STATE_HOME": "The folder of what is known of team stores from before, if not `~/.local/state`.",
}

FILES = {
    "~/.password-store": "The store, where none is named.",
    "NAME.gpg": "In the store: the entry NAME, an OpenPGP message.",
    ".gpg-id": "In the store: who can read this folder and those below it, a key a line.",
    ".gpg-id.sig": "The signature of that file, checked where PASSWORD_STORE_SIGNING_KEY is set.",
    "~/.local/state/clave/pins/": "What is known of each team store from before; see clave-pin(1).",
    "~/.config/clave/config.toml": "The settings; see clave-config(1).",
}

# click's own words.
_HELP = "Show this message and exit."
_RANGE = re.compile(r"  \[[\d<=>x]+\]$")

_CHARACTERS = {"\\": r"\(rs", "-": r"\-", "^": r"\(ha", "~": r"\(ti", "`": r"\(ga", "'": r"\(aq", '"': r"\(dq"}


def escape(text: str) -> str:
    """Return `text` so that roff prints it as it is."""
    return "".join(_CHARACTERS.get(c) or (c if c.isascii() else rf"\[u{ord(c):04X}]") for c in text)


def lines(text: str) -> str:
    """Return escaped `text` with nothing in it that roff takes for a request: a dot at the start of a line."""
    return re.sub(r"^(?=\.)", r"\\&", text, flags=re.MULTILINE)


def prose(text: str) -> str:
    """Return running text, with what stands between backquotes in bold."""
    parts = text.split("`")
    marked = "".join(bold(part) if at % 2 else escape(part) for at, part in enumerate(parts))
    return lines(textwrap.fill(marked, 78, break_long_words=False, break_on_hyphens=False))


def bold(text: str) -> str:
    """Return `text` in bold."""
    return rf"\fB{escape(text)}\fR"


def usage(text: str) -> str:
    """Return options and arguments as a synopsis sets them: options bold, what to replace in italics."""

    def style(word: re.Match[str]) -> str:
        return rf"\fI{escape(word[0])}\fR" if word[0][0].isupper() else bold(word[0])

    parts = re.split(r"((?<![\w.-])--?[A-Za-z][A-Za-z-]*|\b[A-Z][A-Z_]*\b)", text)
    return "".join(re.sub(".+", style, part) if at % 2 else escape(part) for at, part in enumerate(parts))


class Roff(click.HelpFormatter):
    """Takes what click writes into a help screen and makes it part of a manual page.

    In a page's own command a section is one of the page; a command of a group has no sections.
    """

    def __init__(self) -> None:
        super().__init__()
        self._nested = False

    @contextmanager
    def subsection(self, title: str) -> Iterator[None]:
        """Write what follows under a small heading, without sections."""
        self.write(f".SS {escape(title)}\n")
        self._nested = True
        yield
        self._nested = False

    def write_heading(self, heading: str) -> None:
        """Start a section."""
        if not self._nested:
            self.write(f".SH {escape(heading.upper())}\n")

    def write_paragraph(self) -> None:
        """Do nothing: `write_text` and the sections separate themselves."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:  # noqa: ARG002 - click's
        """Write a synopsis."""
        self.write(f"{bold(prog)} {usage(args)}\n")

    def write_text(self, text: str) -> None:
        """Write paragraphs; after a line with a backspace alone a paragraph keeps its lines, as in click."""
        for at, paragraph in enumerate(re.split(r"\n\s*\n", text.strip("\n"))):
            self.write(".PP\n" if at or self._nested else "")
            if paragraph.startswith("\b\n"):
                self.write(f".EX\n{lines(escape(textwrap.dedent(paragraph[2:])))}\n.EE\n")
            else:
                self.write(prose(paragraph) + "\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:  # noqa: ARG002 - click's
        """Write a list of options and what they do; the commands of a group all have `--help`."""
        for term, text in rows:
            if text != _HELP:
                self.write_list([(usage(term), _RANGE.sub("", text))])
            elif not self._nested:
                self.write_list([(usage(term), "Show a short form of this page.")])

    def write_list(self, rows: Iterable[tuple[str, str]]) -> None:
        """Write a list of terms, which are roff already, and their meaning."""
        for term, text in rows:
            self.write(f".TP\n{term}\n{prose(text)}\n")

    def write_codes(self, codes: Mapping[int, str]) -> None:
        """Write a list of exit codes."""
        self.write_list([(bold(str(code)), text) for code, text in codes.items()])

    def write_variables(self, texts: Mapping[str, str]) -> None:
        """Write a list of environment variables."""
        self.write_list([(bold(name), text) for name, text in texts.items()])

    def write_pages(self, names: Sequence[str]) -> None:
        """Write references to other pages, and to those that every page refers to."""
        self.write(",\n".join(f"{bold(name)}(1)" for name in (*names, "pass", "gpg", "git")) + "\n")


def pages() -> dict[str, str]:
    """Return every page by its file name."""
    ctx = click.Context(root, info_name="clave", **root.context_settings)
    made = {"clave.1": page(ctx)}
    for name in root.list_commands(ctx):
        made[f"clave-{name}.1"] = page(_child(ctx, name))
    return made


def _child(ctx: click.Context, name: str) -> click.Context:
    assert isinstance(ctx.command, click.Group)
    command = ctx.command.get_command(ctx, name)
    assert command is not None
    return click.Context(command, info_name=name, parent=ctx, **command.context_settings)


def page(ctx: click.Context) -> str:
    """Return the manual page of a command."""
    command, title = ctx.command, ctx.command_path.replace(" ", "-")
    roff = Roff()
    roff.write('.\\" Made by tools/man.py from the help of the commands: change that.\n')
    roff.write(f'.TH {escape(title.upper())} 1 {released()} "clave {__version__}" "User Commands"\n')
    with roff.section("Name"):
        roff.write(f"{escape(title)} \\- {escape(_phrase(command))}\n")
    with roff.section("Synopsis"):
        command.format_usage(ctx, roff)
    with roff.section("Description"):
        command.format_help_text(ctx, roff)
        _write_aliases(ctx, roff)
    _write_parameters(ctx, roff)
    if isinstance(command, LazyGroup):
        roff.write_heading("Commands")
        _write_commands(ctx, command, roff)
    command.format_epilog(ctx, roff)
    if ctx.parent is None:
        _write_program(roff)
    else:
        _write_ends(roff, ENDS[ctx.info_name or ""])
    return roff.getvalue()


def _write_program(roff: Roff) -> None:
    """Write what holds for every command."""
    with roff.section("Exit status"):
        roff.write_codes(exit_codes())
    with roff.section("Environment"):
        roff.write_variables(variables())
    with roff.section("Files"):
        roff.write_list([(rf"\fI{escape(name)}\fR", text) for name, text in FILES.items()])
    with roff.section("See also"):
        roff.write_pages([f"clave-{name}" for name in root.rows])


def _write_ends(roff: Roff, ends: Ends) -> None:
    """Write what is a command's own; clave(1) has what all of them share."""
    general = exit_codes()
    with roff.section("Exit status"):
        roff.write_codes({0: general[0], **{code: text or general[code] for code, text in sorted(ends.codes.items())}})
    if ends.variables:
        with roff.section("Environment"):
            roff.write_variables({name: variables()[name] for name in ends.variables})
    with roff.section("See also"):
        roff.write(f"{bold('clave')}(1) for the options before every command, all exit codes and all variables;\n")
        roff.write_pages([f"clave-{name}" for name in ends.pages])


def _phrase(command: click.Command) -> str:
    """Return the first line of a command's help as it stands after “clave-show -”."""
    assert command.help, f"{command.name} has no help"
    first = command.help.strip().splitlines()[0].removesuffix(".")
    return first[0].lower() + first[1:]


def _write_aliases(ctx: click.Context, roff: Roff) -> None:
    above = ctx.parent.command if ctx.parent else None
    aliases = above.rows[ctx.info_name or ""].aliases if isinstance(above, LazyGroup) else ()
    if aliases:
        names = " and ".join(f"`{alias}`" for alias in aliases)
        roff.write(f".PP\n{prose(names)} {'is' if len(aliases) == 1 else 'are'} the same command.\n")


def _write_parameters(ctx: click.Context, roff: Roff) -> None:
    arguments = [param.make_metavar(ctx) for param in ctx.command.params if isinstance(param, click.Argument)]
    words = dict.fromkeys(re.findall("[A-Z]+", " ".join(arguments)))
    if words:
        with roff.section("Arguments"):
            roff.write_dl([(word, _argument(ctx, word)) for word in words])
    # A group's own would list its commands too.
    click.Command.format_options(ctx.command, ctx, roff)


def _argument(ctx: click.Context, word: str) -> str:
    place = f"{ctx.command_path.removeprefix('clave ')} {word}"
    text = ARGUMENTS.get(place) or ARGUMENTS.get(word)
    assert text, f"say in ARGUMENTS what '{place}' is"
    return text


def _write_commands(ctx: click.Context, group: LazyGroup, roff: Roff) -> None:
    """Write the table of the program's commands, or everything about those of a smaller group."""
    if ctx.parent is None:
        for title, rows in SECTIONS.items():
            with roff.subsection(title):
                roff.write_list([(f"{bold(f'clave-{name}')}(1)", row.help) for name, row in rows.items()])
        return
    for name in group.rows:
        child = _child(ctx, name)
        with roff.subsection(child.command_path):
            child.command.format_usage(child, roff)
            child.command.format_help_text(child, roff)
            _write_aliases(child, roff)
            _write_parameters(child, roff)
        if isinstance(child.command, LazyGroup):
            _write_commands(child, child.command, roff)


def exit_codes() -> dict[int, str]:
    """Return what each exit code says: the words of the class that has it."""
    codes = {0: "Everything that was asked for was done."}
    for failure in vars(errors).values():
        if inspect.isclass(failure) and errors.ClaveError in failure.__bases__:
            assert issubclass(failure, errors.ClaveError)
            assert failure.__doc__
            codes.setdefault(failure.exit_code, failure.__doc__.strip().splitlines()[0])
    return dict(sorted(codes.items()))


def variables() -> dict[str, str]:
    """Return every environment variable and what it says."""
    return {key.variable: key.description for key in KEYS if key.variable} | VARIABLES


def released() -> str:
    """Return the date of the newest release of the changelog (a page must not change by the day)."""
    dates = re.findall(r"^## \[.*\] - (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    return str(dates[0])


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` compare them."""
    made = {PAGES / name: text for name, text in pages().items()}
    stale = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    surplus = [path for path in PAGES.glob("*") if path not in made]
    for path in (*stale, *surplus):
        print(f"{path.relative_to(ROOT)} is not up to date" if "--check" in arguments else path.relative_to(ROOT))
    if "--check" in arguments:
        return 1 if stale or surplus else 0
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(made[path])
    for path in surplus:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
