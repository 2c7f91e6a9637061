"""TAB completion, measured inside bash, zsh and fish.

A shell is started once for each program. It loads the program's completion and then, for every line that it is
sent, completes one command line, and answers with what its own clock says and with the candidates.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
from pexpect.popen_spawn import PopenSpawn

from measure import Unavailable, traced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stage import Stage
    from table import Counts

    Running = pexpect.spawn[bytes] | PopenSpawn[bytes]

# 100 entries begin with what is typed. Their common beginning, which is what zsh inserts, has to be in the answer.
TYPED = "team-042/serv"
SHOWS = "team-042/service-42"


@dataclass(frozen=True)
class Shell:
    """Where Debian keeps pass's completion, how the shell wants one to be named, what it runs, how it is started."""

    of_pass: str
    completion: str
    script: str
    argv: tuple[str, ...]
    terminal: bool = False


BASH = """
source "{folder}/{program}.bash"
[[ $(complete -p {program}) =~ -F\\ ([^ ]+) ]]
function=${{BASH_REMATCH[1]}}
while read -r; do
    COMP_WORDS=({program} show {typed}) COMP_CWORD=2 COMP_TYPE=9 COMP_KEY=9 COMPREPLY=()
    COMP_LINE="${{COMP_WORDS[*]}}"
    COMP_POINT=${{#COMP_LINE}}
    start=${{EPOCHREALTIME/[.,]/}}
    $function {program} {typed} show 2>/dev/null
    end=${{EPOCHREALTIME/[.,]/}}
    echo "Executed in $((end - start)) micros, got=${{COMPREPLY[*]}};"
done
"""

# zsh completes nowhere but in its line editor: there, a key is bound to a function that completes and answers.
ZSH = """
PS1=
unsetopt auto_list beep prompt_sp
fpath=("{folder}" $fpath)
autoload -Uz compinit && compinit -u -D
zmodload zsh/datetime
measure() {{
    BUFFER="{program} show {typed}"
    CURSOR=$#BUFFER
    local -F start=$EPOCHREALTIME
    zle complete-word
    local -i took='(EPOCHREALTIME - start) * 1000000'
    print -r -- "Executed in $took micros, got=$BUFFER;"
    BUFFER=
}}
zle -N measure
bindkey '^J' measure '^M' measure
"""

# fish has no clock but `time`, which says "Executed in" on stderr.
FISH = """
source "{folder}/{program}.fish"
while read line
    time complete -C '{program} show {typed}' >"{folder}/candidates"
    echo "got="(string join ' ' <"{folder}/candidates")";"
end
"""

SHELLS = {
    "bash": Shell("/usr/share/bash-completion/completions/pass", "{program}.bash", BASH, ("bash", "--norc")),
    "zsh": Shell("/usr/share/zsh/vendor-completions/_pass", "_{program}", ZSH, ("zsh", "-d", "-i"), terminal=True),
    "fish": Shell("/usr/share/fish/vendor_completions.d/pass.fish", "{program}.fish", FISH, ("fish", "--no-config")),
}


class Completion:
    """A running shell that completes a name for one program, once for each line that it is sent."""

    def __init__(self, shell: Shell, argv: Sequence[str], env: dict[str, str]) -> None:
        self._kind, self._argv, self._env = shell, argv, env

    @cached_property
    def _shell(self) -> Running:
        return self._start(self._argv)

    def check(self) -> None:
        """Let the shell complete once, and look at the candidates."""
        _, candidates = _ask(self._shell)
        if SHOWS not in candidates:
            raise RuntimeError(f"{' '.join(self._argv)}: completed to {candidates[:500]!r}")

    def once(self) -> float:
        """Let the shell complete once."""
        seconds, _ = _ask(self._shell)
        return seconds

    def memory(self) -> None:
        """Nothing to tell: it would be that of the shell."""

    def counts(self) -> Counts:
        """Tell what more there is in a shell that completes once more."""
        twice, thrice = (traced(partial(self._traced, times)) for times in (2, 3))
        return thrice - twice

    def close(self) -> None:
        """End the shell, whatever state a wrong completion has left it in."""
        self._shell.kill(signal.SIGKILL)
        self._shell.wait()

    def _start(self, argv: Sequence[str]) -> Running:
        if self._kind.terminal:
            return pexpect.spawn(argv[0], list(argv[1:]), env=self._env, timeout=60, echo=False)
        return PopenSpawn(list(argv), env=self._env, timeout=60)

    def _traced(self, times: int, tracer: Sequence[str]) -> None:
        shell = self._start([*tracer, *self._argv])
        for _ in range(times):
            _ask(shell)
        shell.sendeof()
        shell.wait()


def completion(stage: Stage, name: str, program: str) -> Completion:
    """Return a shell in which the completion of `program` is loaded, for a store with 10,000 entries."""
    shell = SHELLS[name]
    if not shutil.which(name):
        raise Unavailable(f"{name} is not installed")
    env = stage.env(stage.store(10_000))
    folder = f"{name}-{program}"
    stage.file(f"{folder}/{shell.completion.format(program=program)}", _completion(name, shell, program, env))
    script = shell.script.format(folder=stage.home / folder, program=program, typed=TYPED)
    path = stage.file(f"{folder}/.zshrc", script)  # zsh finds it, the others are told
    argv = shell.argv if shell.terminal else (*shell.argv, str(path))
    return Completion(shell, argv, {**env, "ZDOTDIR": str(path.parent)})


def _completion(name: str, shell: Shell, program: str, env: dict[str, str]) -> str:
    if program == "pass":
        path = Path(shell.of_pass)
        if not path.is_file():
            raise Unavailable(f"pass has no completion for {name} here")
        return path.read_text(encoding="utf-8")
    done = subprocess.run([program, "completion", name], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"this clave has no completion for {name}")
    return done.stdout


def _ask(shell: Running) -> tuple[float, str]:
    try:
        shell.sendline()
        shell.expect(rb"Executed in +([\d.]+) (micros|millis|secs).*?got=(.*?);")
    except (OSError, pexpect.EOF, pexpect.TIMEOUT) as failure:
        raise RuntimeError(f"a shell that should have completed said {shell.before!r}") from failure
    assert isinstance(shell.match, re.Match)
    number, unit, candidates = (part.decode() for part in shell.match.groups())
    return float(number) * {"micros": 1e-6, "millis": 1e-3, "secs": 1.0}[unit], candidates
