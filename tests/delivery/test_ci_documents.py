"""docs/ci.md: the jobs that stand there are run, each step a script as on the service, by a machine of a team.

What is ours here is the service: it starts the steps of a job (the shells and their options are those that GitHub and
GitLab document), and hands on what a step wrote to GITHUB_ENV. Two lines are not run, those that install clave and gpg.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.delivery import readers
from tests.teams import crew, founded  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.teams import Team

DOCUMENT = Path(__file__).parents[2] / "docs/ci.md"
NOT_RUN = ("pipx install clave", "pip install --quiet clave", "apt-get ")
EVERYTHING = "import os, json, sys; json.dump(dict(os.environ), open(sys.argv[1], 'w'))"


def block(language: str, heading: str) -> str:
    """Return the first block of a language below a heading of the document."""
    found = re.search(rf"^## {heading}$.*?^```{language}\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    assert found, (language, heading)
    return found[1]


class Runner:
    """A machine that runs jobs: an empty home, a checkout of the application, and what the service knows."""

    def __init__(self, folder: Path, team: Team, key: bytes) -> None:
        self.folder = folder
        self.home, self.checkout, self.temp = (folder / name for name in ("home", "checkout", "temp"))
        self.ram = Path(tempfile.mkdtemp(prefix="cl-", dir="/dev/shm"))
        programs = folder / "bin"
        for each in (self.home, self.checkout, self.temp, programs):
            each.mkdir()
        (programs / "clave").write_text(f'#!/bin/sh\nexec {sys.executable} -m clave "$@"\n')
        for name in ("deploy", "publish"):
            (self.checkout / name).write_text(
                f'#!/bin/sh\nexec {sys.executable} -c "{EVERYTHING}" {folder}/{name}.json\n'
            )
            (self.checkout / name).chmod(0o755)
        (programs / "clave").chmod(0o755)
        (self.checkout / "clave.toml").write_text(block("toml", "Once, by an admin of the team"))
        (self.checkout / "npmrc.j2").write_text(block("jinja", "GitLab CI"))
        words = team.clave("alice", "pin", "--words").out.decode().strip()
        self.known = {"CLAVE_ROOT": words, "SECRETS_URL": f"file://{team.remote}", "CLAVE_KEY": key.decode()}
        self.env = {
            "HOME": str(self.home),
            "PATH": f"{programs}:{os.environ['PATH']}",
            "XDG_RUNTIME_DIR": str(self.ram),
            "LC_ALL": "C.UTF-8",
        }

    def run(self, shell: list[str], script: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
        """Run a step as the service does: its script is a file."""
        file = self.temp / "step.sh"
        file.write_text(script)
        return subprocess.run(
            [*shell, str(file)], cwd=self.checkout, env={**self.env, **env}, capture_output=True, check=False
        )

    def seen(self, program: str) -> dict[str, str]:
        """Return the environment that a program of the application had."""
        return yaml.safe_load((self.folder / f"{program}.json").read_text())


def runs(script: str) -> bool:
    return not script.startswith(NOT_RUN)


@pytest.fixture(scope="module")
def shop(founded: Team) -> Iterator[tuple[Team, bytes]]:  # noqa: F811 - the fixture
    """A team with the secrets of the document, and the key of its machine."""
    folder = Path(tempfile.mkdtemp(prefix="cl-"))
    team = founded.replica(folder / "t")
    subprocess.run(["git", "-C", team.remote, "config", "uploadpack.allowFilter", "true"], check=True)
    team.clave("alice", "insert", "-m", "-f", "prod/db", input=b"p/w &\nuser: app\nhost: db1\n")
    team.clave("alice", "insert", "-m", "prod/npm", input=b"npm_T0ken\n")
    key = team.clave("alice", "team", "machine", "ci", "--read", "prod", "--sure").out
    team.clave("alice", "sync")
    yield team, key
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def runner(shop: tuple[Team, bytes]) -> Iterator[Runner]:
    folder = Path(tempfile.mkdtemp(prefix="cl-"))
    runner = Runner(folder, *shop)
    yield runner
    assert os.listdir(runner.ram) == []  # the key and its agent are gone
    assert not (folder / "home/.gnupg").exists()
    shutil.rmtree(folder, ignore_errors=True)
    runner.ram.rmdir()


def job_of_github() -> dict[str, Any]:
    job: dict[str, Any] = yaml.safe_load(block("yaml", "GitHub Actions"))["jobs"]["deploy"]
    return job


def github(runner: Runner, job: dict[str, Any]) -> Iterator[subprocess.CompletedProcess[bytes]]:
    """Run the steps of a job as GitHub does, and yield what each left."""

    def filled(env: Mapping[str, str]) -> dict[str, str]:
        return {name: re.sub(r"\$\{\{ (?:vars|secrets)\.(\w+) \}\}", lambda found: runner.known[found[1]], value)
                for name, value in env.items()}  # fmt: skip

    env = {**filled(job["env"]), "RUNNER_TEMP": str(runner.temp), "GITHUB_ENV": str(runner.temp / "github_env")}
    for step in job["steps"]:
        if not runs(step.get("run", "apt-get ")):  # an action of others, or what installs clave
            continue
        (runner.temp / "github_env").write_bytes(b"")
        done = runner.run(["bash", "-e"], step["run"], {**env, **filled(step.get("env", {}))})
        set_by_step = readers.github((runner.temp / "github_env").read_bytes())
        env.update({name: value.decode() for name, value in set_by_step.items()})
        yield done


def test_the_job_for_github(runner: Runner) -> None:
    done = list(github(runner, job_of_github()))
    assert [(each.returncode, each.stderr) for each in done] == [(0, b"")] * 4
    deploy, publish = runner.seen("deploy"), runner.seen("publish")
    assert deploy["DB_URL"] == "postgres://app:p%2Fw%20%26@db1/shop"
    assert not {"NPM_TOKEN", "CLAVE_KEY", "CLAVE_ROOT", "GNUPGHOME", "PASSWORD_STORE_DIR"} & deploy.keys()
    assert publish["NPM_TOKEN"] == "npm_T0ken"
    assert not {"DB_URL", "CLAVE_KEY"} & publish.keys()
    assert b"".join(each.stdout for each in done) == b"::add-mask::npm_T0ken\n"


def gitlab(runner: Runner, job: dict[str, Any]) -> subprocess.CompletedProcess[bytes]:
    """Run the scripts of a job as GitLab does: one shell, a variable of the type File is the path of one."""
    key = runner.temp / "CLAVE_KEY"
    key.write_text(runner.known["CLAVE_KEY"])
    env = {
        **runner.known,
        "CLAVE_KEY": str(key),
        **job["variables"],
        "PASSWORD_STORE_DIR": str(runner.temp / "secrets"),
    }
    lines = [line for line in (*job["before_script"], *job["script"]) if runs(line)]
    return runner.run(["bash"], "set -eo pipefail\n" + "\n".join(lines), env)


def test_the_job_for_gitlab(runner: Runner) -> None:
    job = yaml.safe_load(block("yaml", "GitLab CI"))["deploy"]
    done = gitlab(runner, job)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert runner.seen("deploy")["DB_URL"] == "postgres://app:p%2Fw%20%26@db1/shop"
    assert (runner.checkout / ".npmrc").read_bytes() == b"//registry.example.com/:_authToken=npm_T0ken\n"
    assert (runner.checkout / ".npmrc").stat().st_mode & 0o777 == 0o600
    assert runner.run(["bash"], "\n".join(job["after_script"]), {}).returncode == 0
    assert not (runner.checkout / ".npmrc").exists()


def test_the_words_of_another_store_end_the_job(runner: Runner) -> None:
    first, *rest = runner.known["CLAVE_ROOT"].split("-")
    runner.known["CLAVE_ROOT"] = "-".join([*rest, first])
    clone, deploy = islice(github(runner, job_of_github()), 2)
    assert (clone.returncode, deploy.returncode) == (0, 6)
    assert not (runner.folder / "deploy.json").exists()


def test_a_job_without_the_key_ends_with_2(runner: Runner) -> None:
    runner.known["CLAVE_KEY"] = ""  # as for a pull request from a fork
    _, deploy = islice(github(runner, job_of_github()), 2)
    assert deploy.returncode == 2
    assert deploy.stderr.count(b"\n") == 1
    assert not (runner.folder / "deploy.json").exists()


def test_the_exit_code_of_the_program_is_that_of_the_step(runner: Runner) -> None:
    (runner.checkout / "deploy").write_text("#!/bin/sh\nexit 23\n")
    _, deploy = islice(github(runner, job_of_github()), 2)
    assert deploy.returncode == 23


@pytest.mark.parametrize("block_of", ["GitHub Actions", "GitLab CI"])
def test_every_command_of_clave_that_stands_there_is_run(block_of: str) -> None:
    """What the tests leave out are the lines that install, and no others."""
    text = block("yaml", block_of)
    left_out = [line.strip(" -") for line in text.splitlines() if any(each in line for each in NOT_RUN)]
    assert len(left_out) == (1 if "GitHub" in block_of else 2)
    assert all(line.removeprefix("run: ").startswith(NOT_RUN) for line in left_out)
