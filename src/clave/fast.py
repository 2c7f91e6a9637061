"""The entry point: what can be served from argv and the environment alone, is; the rest is the full program's.

Served are `NAME`, `show NAME`, `ls`, `ls FOLDER`, the bare program, and `find TERM…`, without any option, in a
store that has no write pending and, if it is a team's, is verified, for an entry also known to be as committed. The
functions are those of the full program (`store/`, `openpgp/`), so the checks are too; what is saved is loading click.
A test compares both ways.

Served is `due --prompt`, which a shell asks before each line (`store/lifecycle/prompt.py`).

So are `insert` and `generate`, where flags and words are all that they have, and `exec` (`cli/_plain.py`).

Served is also what the completion scripts ask for while a name is typed (`cli/_complete.py`).

For an entry gpg is started first, and everything else is loaded and checked while it makes itself ready.

Imported at every start: nothing heavy may be imported here. A test lists what may be.
"""

from __future__ import annotations

import gc
import os
import sys

from clave.places import has_pins, left_in_ram, locate, stores

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from clave.store.layout import Node


class _NotHere(Exception):
    """Raised where a command line is for the full program after all."""


def main(argv: list[str] | None = None) -> int:
    """Run a command line (by default this process's) and return its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    gc.disable()  # a run that is served here ends before anything is worth collecting: it takes 2 % of `show`
    if argv[:1] == ["--complete"]:
        return _complete(argv[1:])
    if argv in (["due", "--prompt"], ["due", "--prompt", "--mine"]):
        from clave.store.lifecycle import prompt

        if prompt.tell(locate(os.environ), mine=len(argv) == 3):
            return 0
    if argv[:1] in (["insert"], ["generate"], ["add"], ["exec"], ["run"]):
        from clave.cli import _plain

        plain = _plain.parse(argv)
        if plain is not None:
            return _plain.run(*plain)
    try:
        code = _serve(argv)
    except _NotHere:
        code = None
    except BaseException as failure:  # noqa: BLE001 - told as the full program tells it
        from clave.cli._process import close_output, tell

        return close_output(tell(failure))
    if code is None:
        gc.enable()
        from clave.cli.main import main as full

        return full(argv)
    return code


def _serve(argv: Sequence[str]) -> int | None:
    """Do what was asked for and return the exit code; None: nothing was done, ask the full program."""
    if any(argument[:1] in ("-", "") or not argument.isprintable() for argument in argv):
        return None
    if "CLAVE_DEBUG" in os.environ or sys.stdout is None or sys.stderr is None or sys.stdin is None:
        return None
    root = locate(os.environ)
    if root is None:
        return None
    if 0 < len(argv) < 3 and (len(argv) == 1 or argv[0] == "show"):
        name = argv[-1]
        if not any(c in name for c in "#:") and os.path.isfile(os.path.join(root, name + ".gpg")):
            return _decrypt(root, name, bare=len(argv) == 1)
    return _list(root, argv)


def _complete(arguments: Sequence[str]) -> int:
    from clave.cli._complete import main as complete

    return complete(arguments)


def _decrypt(root: str, name: str, *, bare: bool) -> int:
    from clave.openpgp.command import start_decrypting, user_options

    options = user_options(os.environ)
    with start_decrypting(options) as gpg:
        # All this happens while gpg makes itself ready; it gets no byte before it is done.
        import resource

        from clave.model.name import check
        from clave.openpgp.message import decrypt_with
        from clave.store.layout import read_file

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        if (bare and _is_command(name)) or not _is_settled(root) or check(name) != name:
            raise _NotHere
        ciphertext, commit = read_file(root, name), _verified(root)
        if commit and not _is_committed(root, commit):
            raise _NotHere
        plaintext = memoryview(decrypt_with(gpg, ciphertext, name=name, options=options))
    while plaintext:
        plaintext = plaintext[os.write(1, plaintext) :]
    # Nothing is buffered or open: taking the interpreter down would cost a tenth of the whole run.
    os._exit(0)


def _list(root: str, argv: Sequence[str]) -> int | None:
    from clave.cli._commands import ALIASES, COMMANDS

    command, words = "show", argv
    if argv and ALIASES.get(argv[0], argv[0]) in COMMANDS:
        command, words = ALIASES.get(argv[0], argv[0]), argv[1:]
    if command not in ("show", "ls", "find") or not os.path.isdir(root) or not _is_settled(root):
        return None
    _verified(root)
    if command == "find":
        return _find(root, words) if words and stores(os.environ) == [] else None
    folder = words[0] if words else ""
    if len(words) > 1 or any(c in folder for c in "#:"):
        return None
    return _folder(root, folder)


def _folder(root: str, folder: str) -> int | None:
    from clave.errors import UsageError
    from clave.model.text import printable
    from clave.store import layout
    from clave.store.listing import HEADER

    try:
        if not layout.is_folder(root, folder):
            return None  # the full program proposes what may be meant
    except UsageError:
        return None
    _draw(printable(folder.removesuffix("/")) or HEADER, layout.tree(root, folder.strip("/")))
    return 0


def _find(root: str, terms: Sequence[str]) -> int:
    from clave.model.text import printable
    from clave.store import layout
    from clave.store.listing import matcher, prune

    nodes = prune(layout.tree(root), matcher(terms))
    _draw(f"Search Terms: {printable(','.join(terms))}", nodes)
    return 0 if nodes else 1


def _draw(header: str, nodes: list[Node]) -> None:
    from clave.store.listing import draw, unicode_branches

    out = sys.stdout
    colour = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    out.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    out.write(f"{header}\n{draw(nodes, colour=colour, unicode=unicode_branches(os.environ))}")
    out.flush()


def _is_command(word: str) -> bool:
    from clave.cli._commands import ALIASES, COMMANDS

    return word in COMMANDS or word in ALIASES


def _is_settled(root: str) -> bool:
    """Tell whether a store needs no recovery before it is read, and RAM no sweeping."""
    from clave.store.layout import pending

    return not (pending(root) or left_in_ram(os.environ))


def _verified(root: str) -> str:
    """Return the verified commit that is HEAD of a team's store, "" for a plain store. Raises _NotHere for others.

    Neither is known of one that CLAVE_ROOT says more about.
    """
    if os.environ.get("CLAVE_ROOT"):
        raise _NotHere
    if not has_pins(os.environ):
        if os.path.exists(os.path.join(root, ".clave", "roster")):
            raise _NotHere
        return ""
    from clave.store.trust.pins import location, read_file

    top = os.path.realpath(root)
    while not os.path.lexists(git_dir := os.path.join(top, ".git")) and top != "/":
        top = os.path.dirname(top)  # a store may be a folder of a repository, but no team's may
    pinned = read_file(location(git_dir))
    if pinned is None:
        if os.path.exists(os.path.join(root, ".clave", "roster")):
            raise _NotHere
        return ""
    from clave.vcs.head import plain_head

    if top != os.path.realpath(root) or plain_head(git_dir) != pinned.local:
        raise _NotHere
    return pinned.local


def _is_committed(root: str, commit: str) -> bool:
    from clave.vcs.settled import is_settled

    return is_settled(os.path.join(os.path.realpath(root), ".git"), commit)
