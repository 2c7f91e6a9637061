"""bash, zsh and fish on a terminal, with the completion of clave loaded as its help says."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
SCRIPTS = {"bash": "clave.bash", "zsh": "_clave", "fish": "clave.fish"}

# What a user's start-up file would hold, and what this module needs: ^Xb saves the line, ^Xl lists what it can become.
# `clave` is a function that saves its arguments; the completion runs the program.
START = {
    "bash": """
PS1='> '
bind 'set bell-style none' 'set enable-bracketed-paste off' 'set page-completions off' 'set completion-query-items 0'
bind -x '"\\C-xb": save "$READLINE_LINE"'
bind '"\\C-xl": possible-completions'
save() {{ printf '%s\\0' "$@" >"$SAVED.new" && mv -f "$SAVED.new" "$SAVED"; }}
clave() {{ save "$@"; }}
{aliases}
eval "$(command clave completion bash)"
save
""",
    "zsh": """
PS1='> ' LISTMAX=9999
unsetopt beep prompt_sp auto_list auto_menu list_beep
autoload -Uz compinit && compinit -u -D
save() {{ printf '%s\\0' "$@" >"$SAVED.new" && mv -f "$SAVED.new" "$SAVED" }}
save-line() {{ save "$BUFFER" }}
zle -N save-line
bindkey '^Xb' save-line '^Xl' list-choices
{aliases}
eval "$(command clave completion zsh)"
clave() {{ save "$@" }}
save
""",
    "fish": """
function fish_prompt; echo '> '; end
function fish_greeting; end
function save; printf '%s\\0' $argv >$SAVED.new; and mv -f $SAVED.new $SAVED; end
{aliases}
command clave completion fish | source
function clave; save $argv; end
bind \\cxb 'save (commandline -b)'
save
""",
}
ARGV = {"bash": ["bash", "--noprofile", "--rcfile"], "zsh": ["zsh", "-d", "-i"], "fish": ["fish", "--no-config", "-C"]}


class Shell:
    """A shell in which somebody types. `seen` is all that it has written to its terminal."""

    def __init__(self, name: str, env: Mapping[str, str], folder: Path, *, aliases: str = "", cwd: Path | None = None):
        self.name = name
        self.seen = b""
        self.cwd = cwd or folder
        self._saved = folder / f"{name}.saved"
        start = START[name].format(aliases=aliases)
        file = folder / ".zshrc"
        file.write_text(start)
        argv = ARGV[name] + {"bash": [str(file)], "zsh": [], "fish": [start]}[name]
        self.env = {
            **env,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "ZDOTDIR": str(folder),
            "SAVED": str(self._saved),
            "INPUTRC": "/dev/null",
            "TERM": "dumb",
            "XDG_DATA_HOME": str(folder / "data"),
        }
        self._terminal = pexpect.spawn(
            argv[0], argv[1:], env=self.env, cwd=str(self.cwd), timeout=30, dimensions=(60, 250), echo=False
        )
        self._terminal.delaybeforesend = None
        self._take()

    def complete(self, line: str) -> str:
        """Type a line and TAB; return the line that is there then."""
        self._terminal.send(line + "\t")
        return self._line()

    def run(self, line: str) -> list[str]:
        """Type a line, TAB and Enter; return the arguments that clave got."""
        self._terminal.send(line + "\t\r")
        return self._take()

    def candidates(self, line: str) -> set[str]:
        """Return the words that the shell lists for a line."""
        if self.name == "fish":
            return self._fish_candidates(line)
        self._terminal.send(line + "\x18b")
        self._take()
        time.sleep(0.05)  # until all that has been typed is there to see
        self._read()
        before = len(self.seen)
        self._terminal.send("\x18l")
        self._line()
        text = self.seen[before:].decode(errors="replace").replace("\r", "\n")
        return {word for each in text.split("\n") if not each.startswith(("> ", line)) for word in each.split()}

    def close(self) -> None:
        """End the shell."""
        self._read()
        self._terminal.close(force=True)

    def _line(self) -> str:
        self._terminal.send("\x18b")
        saved = self._take()
        self._terminal.send("\x05\x15")  # to its end, and away with it
        return saved[0] if saved else ""

    def _fish_candidates(self, line: str) -> set[str]:
        quoted = line.replace("\\", "\\\\").replace("'", "\\'")
        self._terminal.send(f"save (complete -C '{quoted}')\r")
        return {each.partition("\t")[0] for each in self._take()}

    def _take(self) -> list[str]:
        """Return what was saved, and forget it."""
        end = time.monotonic() + 20
        while not self._saved.exists():
            self._read()
            time.sleep(0.005)
            assert time.monotonic() < end, f"{self.name} has not answered, but written {self.seen[-2000:]!r}"
        data = self._saved.read_bytes()
        self._saved.unlink()
        self._read()
        return data.decode("utf-8", "surrogateescape").split("\0")[:-1]

    def _read(self) -> None:
        try:
            while True:
                self.seen += self._terminal.read_nonblocking(1 << 16, timeout=0)
        except pexpect.TIMEOUT:
            pass
