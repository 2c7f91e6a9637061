"""Remotes with real bare repositories: a path, a file URL, ssh; URLs that are refused; what hostile ones send."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clave.errors import ClaveError, GitFailed, UsageError, VerificationFailed
from clave.vcs import remote as remotes
from clave.vcs.git import Repository
from clave.vcs.remote import NoBranch, Rejected, Remote, Unreachable

if TYPE_CHECKING:
    from pathlib import Path

SSH = """#!{python}
import os, shlex, sys
host, command = sys.argv[-2:]
assert host == "alice@store.example.org", sys.argv
argv = shlex.split(command)
os.execvp(argv[0], argv)
"""


def git(where: Path, *args: str, check: bool = True, **env: str) -> str:
    done = subprocess.run(["git", "-C", where, *args], env={**os.environ, **env}, capture_output=True, text=True)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bare repository with one commit on main."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Alice")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "alice@example.org")
    path = tmp_path / "remote.git"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(path))
    first = tmp_path / "first"
    git(tmp_path, "clone", "-q", str(path), str(first))
    add(first, "a.gpg", "first")
    git(first, "push", "-q", "origin", "HEAD:main")
    return path


@pytest.fixture
def store(bare: Path, tmp_path: Path) -> Path:
    """A store with the same commit, whose remote that is."""
    git(tmp_path, "clone", "-q", str(bare), str(tmp_path / "store"))
    return tmp_path / "store"


def add(where: Path, name: str, text: str) -> str:
    (where / name).write_text(text)
    git(where, "add", name)
    git(where, "commit", "-q", "-m", f"add {name}")
    return git(where, "rev-parse", "HEAD")


def repository(where: Path) -> Repository:
    found = Repository.find(str(where))
    assert found is not None
    return found


def remote_of(where: Path) -> Remote:
    found = remotes.remote_of(repository(where))
    assert found is not None
    return found


def fetch(where: Path) -> str:
    remotes.fetch(repository(where), remote_of(where), ["refs/heads/main:refs/clave/incoming"])
    return git(where, "rev-parse", "refs/clave/incoming")


def push(where: Path, expected: str) -> list[str]:
    return remotes.push(
        repository(where), remote_of(where), ["HEAD:refs/heads/main"], expect={"refs/heads/main": expected}
    )


@pytest.mark.parametrize("kind", ["path", "file", "ssh", "scp"])
def test_fetch_and_push(bare: Path, store: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text(SSH.format(python=sys.executable))
    ssh.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    urls = {
        "path": str(bare),
        "file": f"file://{bare}",
        "ssh": f"ssh://alice@store.example.org{bare}",
        "scp": f"alice@store.example.org:{bare}",
    }
    git(store, "remote", "set-url", "origin", urls[kind])
    base = git(store, "rev-parse", "HEAD")
    refs = git(store, "for-each-ref", "refs/remotes", "refs/tags", "refs/heads")
    theirs = add(tmp_path / "first", "b.gpg", "second")
    git(tmp_path / "first", "tag", "v1")
    git(tmp_path / "first", "push", "-q", "--tags", "origin", "HEAD:main")
    assert fetch(store) == theirs
    assert git(store, "for-each-ref", "refs/remotes", "refs/tags", "refs/heads") == refs
    assert not (store / ".git" / "FETCH_HEAD").exists()
    add(store, "c.gpg", "mine")
    with pytest.raises(Rejected) as rejected:
        push(store, base)
    assert rejected.value.exit_code == 75
    git(store, "reset", "-q", "--hard", theirs)
    mine = add(store, "c.gpg", "mine")
    push(store, theirs)
    assert git(bare, "rev-parse", "main") == mine


def test_progress_is_told(store: Path, tmp_path: Path) -> None:
    add(tmp_path / "first", "b.gpg", "second")
    git(tmp_path / "first", "push", "-q", "origin", "HEAD:main")
    told: list[str] = []
    remotes.fetch(repository(store), remote_of(store), ["refs/heads/main:refs/clave/incoming"], progress=told.append)
    assert any("objects" in line for line in told)
    assert all(line.isprintable() for line in told)


def test_only_the_quarantine_is_fetched_into(store: Path) -> None:
    with pytest.raises(ValueError, match="quarantine"):
        remotes.fetch(repository(store), remote_of(store), ["refs/heads/main:refs/heads/main"])


def test_the_quarantine_follows_a_remote_that_went_back(bare: Path, store: Path, tmp_path: Path) -> None:
    base = git(store, "rev-parse", "HEAD")
    add(tmp_path / "first", "b.gpg", "second")
    git(tmp_path / "first", "push", "-q", "origin", "HEAD:main")
    assert fetch(store) != base
    git(bare, "update-ref", "refs/heads/main", base)
    assert fetch(store) == base


# Which remote


def test_which_remote_it_is(store: Path, bare: Path) -> None:
    assert remote_of(store) == Remote("origin", str(bare), "refs/heads/main", tracked=True)
    git(store, "branch", "--unset-upstream")
    assert remote_of(store) == Remote("origin", str(bare), "refs/heads/main", tracked=False)
    git(store, "remote", "rename", "origin", "forge")
    assert remote_of(store).name == "forge"
    git(store, "remote", "add", "other", str(bare))
    with pytest.raises(GitFailed, match="forge, other"):
        remote_of(store)
    git(store, "config", "branch.main.remote", "other")
    git(store, "config", "branch.main.merge", "refs/heads/shared")
    assert remote_of(store) == Remote("other", str(bare), "refs/heads/shared", tracked=True)
    git(store, "checkout", "-q", "--detach")
    with pytest.raises(GitFailed, match="no branch"):
        remote_of(store)


def test_a_store_without_a_remote(store: Path) -> None:
    assert remotes.has_remote(repository(store))
    git(store, "remote", "remove", "origin")
    assert remotes.remote_of(repository(store)) is None
    assert not remotes.has_remote(repository(store))


# URLs

GOOD = [
    "https://example.org/team/store.git",
    "https://alice@example.org:8443/store",
    "ssh://git@example.org/store.git",
    "ssh://example.org:2222/~/store",
    "git@example.org:team/store.git",
    "example.org:store",
    "/srv/store.git",
    "../store.git",
    "./with:colon",
    "file:///srv/store.git",
    "ssh://[::1]:22/store",
    "git@[::1]:store",
]
BAD = [
    "",
    " ",
    "ext::sh -c touch% P",
    "fd::17/store",
    "foo::bar",
    "0 ::",
    "a b:store",
    "--upload-pack=touch P",
    "-oProxyCommand=touch P:store",
    "ssh://-oProxyCommand=touch P/store",
    "ssh://-oProxyCommand=touch%20P/store",
    "ssh://a@-oProxyCommand=x/store",
    "-x@example.org:store",
    "git://example.org/store",
    "http://example.org/store",
    "ftp://example.org/store",
    "https://alice:hunter22@example.org/store",
    "https://:hunter22@example.org/store",
    "ssh://alice:hunter22@example.org/store",
    "HTTPS://alice:hunter22@example.org/store",
    "https:///store",
    "ssh:///store",
    "https://example.org/\x1b[2J",
    "https://example.org/a\nb",
]


@pytest.mark.parametrize("url", GOOD)
def test_a_url_that_is_fine(url: str) -> None:
    remotes.check_url(url)


@pytest.mark.parametrize("url", BAD)
def test_a_url_that_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        remotes.check_url(url)
    assert "hunter22" not in refused.value.line()
    assert refused.value.hint


@given(st.text("abc:@/-.+ 0", max_size=20), st.sampled_from(["", "https://", "ssh://", "file://", "x::"]))
def test_no_url_that_passes_is_an_option_or_holds_a_password(text: str, scheme: str) -> None:
    url = scheme + text
    try:
        remotes.check_url(url)
    except UsageError:
        return
    assert not url.startswith("-")
    assert "::" not in url.partition("/")[0]
    if scheme in ("https://", "ssh://"):
        authority = text.partition("/")[0]
        assert not authority.startswith("-")
        assert ":" not in authority.rpartition("@")[0]
        assert not authority.rpartition("@")[2].startswith("-")


@given(st.text("abc:@/.", max_size=12), st.text("xyz", min_size=4, max_size=6))
def test_no_password_of_a_url_is_shown(rest: str, password: str) -> None:
    assert f":{password}@" not in remotes.shown(f"https://alice:{password}@example.org/{rest}")
    assert f":{password}@" not in remotes.shown(f"ssh://alice:{password}@example.org/{rest}")
    assert f"{password}@" not in remotes.shown(f"https://{password}@example.org/{rest}")


def test_a_url_in_the_configuration_is_looked_at_before_git_runs(store: Path, tmp_path: Path) -> None:
    git(store, "config", "remote.origin.url", f"ext::touch {tmp_path}/sentinel")
    with pytest.raises(UsageError):
        remote_of(store)
    with pytest.raises(ClaveError):  # and git itself would not do it either
        remotes.fetch(repository(store), Remote("origin", "", "", tracked=True), ["refs/heads/main:refs/clave/x"])
    assert not (tmp_path / "sentinel").exists()


def test_what_the_user_puts_instead_of_a_url_is_the_users(store: Path, bare: Path, tmp_path: Path) -> None:
    (tmp_path / ".gitconfig").write_text(
        f'[url "{bare}"]\n\tinsteadOf = https://example.org/store\n[url "/nowhere"]\n\tpushInsteadOf = https://example.org\n'
    )
    git(store, "remote", "set-url", "origin", "https://example.org/store")
    assert remote_of(store).url == "https://example.org/store"
    assert fetch(store) == git(bare, "rev-parse", "main")
    with pytest.raises(Unreachable):
        push(store, fetch(store))


# A remote that is not what it should be


def test_a_remote_that_is_not_there(store: Path, tmp_path: Path) -> None:
    git(store, "remote", "set-url", "origin", str(tmp_path / "nothing.git"))
    with pytest.raises(Unreachable) as away:
        fetch(store)
    assert away.value.exit_code == 75
    assert "nothing.git" in away.value.line()
    with pytest.raises(Unreachable):
        push(store, "")
    with pytest.raises(Unreachable):
        remotes.branches(repository(store), remote_of(store))


def test_a_host_that_does_not_answer_or_lets_nobody_in(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(store, "remote", "set-url", "origin", "ssh://store.example.org/store")
    monkeypatch.setenv(
        "GIT_SSH_COMMAND", "echo 'ssh: connect to host store.example.org: Connection refused' >&2; exit 255;"
    )
    with pytest.raises(Unreachable, match="Connection refused"):
        fetch(store)
    monkeypatch.setenv(
        "GIT_SSH_COMMAND", "echo 'alice@store.example.org: Permission denied (publickey).' >&2; exit 255;"
    )
    with pytest.raises(GitFailed, match="Permission denied") as denied:
        fetch(store)
    assert denied.value.exit_code == 7


def test_a_branch_that_is_not_there(bare: Path, store: Path) -> None:
    git(bare, "branch", "-m", "main", "renamed")
    with pytest.raises(NoBranch, match="main"):
        fetch(store)
    assert list(remotes.branches(repository(store), remote_of(store))) == ["refs/heads/renamed"]


def test_an_empty_remote(store: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(tmp_path / "empty.git"))
    git(store, "remote", "set-url", "origin", str(tmp_path / "empty.git"))
    with pytest.raises(NoBranch):
        fetch(store)
    assert remotes.branches(repository(store), remote_of(store)) == {}
    push(store, "")
    assert git(tmp_path / "empty.git", "rev-parse", "main") == git(store, "rev-parse", "HEAD")


def test_a_remote_that_is_cut_off(bare: Path, store: Path, tmp_path: Path) -> None:
    add(tmp_path / "first", "b.gpg", "second")
    add(tmp_path / "first", "c.gpg", "third")
    git(tmp_path / "first", "push", "-q", "origin", "HEAD:main")
    shallow = tmp_path / "shallow.git"
    git(tmp_path, "clone", "-q", "--bare", "--depth=1", f"file://{bare}", str(shallow))
    git(store, "remote", "set-url", "origin", f"file://{shallow}")
    with pytest.raises(VerificationFailed, match="cut off"):
        fetch(store)
    assert git(store, "for-each-ref", "refs/clave") == ""
    assert not (store / ".git" / "shallow").exists()
    with pytest.raises(VerificationFailed, match="cut off"):
        remotes.clone(f"file://{shallow}", str(tmp_path / "clone"))
    assert not (tmp_path / "clone").exists()


@pytest.mark.parametrize("name", ["..", ".git", "twice"])
def test_objects_that_git_refuses(bare: Path, store: Path, name: str, tmp_path: Path) -> None:
    blob = bytes.fromhex(git(bare, "rev-parse", "main:a.gpg"))
    inner = b"100644 planted\0" + blob
    if name != "twice":
        inner = b"40000 " + name.encode() + b"\0" + bytes.fromhex(raw_tree(bare, inner))
    tree = raw_tree(bare, inner if name != "twice" else inner + inner)
    hostile = git(bare, "commit-tree", "-p", "main", "-m", "hostile", tree)
    git(bare, "update-ref", "refs/heads/main", hostile)
    (tmp_path / ".gitconfig").write_text("[fetch]\n\tfsckObjects = false\n")
    with pytest.raises(VerificationFailed) as refused:
        fetch(store)
    assert refused.value.exit_code == 6
    assert git(store, "for-each-ref", "refs/clave") == ""


def raw_tree(where: Path, data: bytes) -> str:
    done = subprocess.run(
        ["git", "-C", where, "hash-object", "-w", "-t", "tree", "--literally", "--stdin"],
        input=data, capture_output=True, check=True,
    )  # fmt: skip
    return done.stdout.decode().strip()


def test_a_server_that_declines_is_quoted_without_its_control_bytes(bare: Path, store: Path) -> None:
    hook = bare / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nprintf 'not \\033[2J on \\r a \\342\\200\\256 Friday\\n' >&2\nexit 1\n")
    hook.chmod(0o755)
    base = git(store, "rev-parse", "HEAD")
    add(store, "b.gpg", "mine")
    with pytest.raises(GitFailed) as declined:
        push(store, base)
    line = declined.value.line()
    assert "Friday" in line
    assert "pre-receive hook declined" in line
    assert line.isprintable()


def test_what_a_remote_says_is_returned_safe(bare: Path, store: Path) -> None:
    hook = bare / "hooks" / "post-receive"
    hook.write_text("#!/bin/sh\nprintf 'all \\033]0;title\\007 well\\n' >&2\n")
    hook.chmod(0o755)
    base = git(store, "rev-parse", "HEAD")
    add(store, "b.gpg", "mine")
    said = push(store, base)
    assert said
    assert all(line.isprintable() for line in said)


def test_no_hook_of_the_clone_runs(bare: Path, store: Path, tmp_path: Path) -> None:
    for name in ("pre-push", "reference-transaction", "post-merge", "post-checkout", "pre-auto-gc"):
        hook = store / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/sentinel\n")
        hook.chmod(0o755)
    theirs = add(tmp_path / "first", "b.gpg", "second")
    git(tmp_path / "first", "push", "-q", "origin", "HEAD:main")
    assert fetch(store) == theirs
    made = git(store, "-c", "core.hooksPath=/dev/null", "commit-tree", "-p", theirs, "-m", "x", f"{theirs}^{{tree}}")
    git(store, "-c", "core.hooksPath=/dev/null", "update-ref", "HEAD", made)
    push(store, theirs)
    assert git(bare, "rev-parse", "main") == made
    assert not (tmp_path / "sentinel").exists()


def test_a_clone_checks_nothing_out_and_runs_nothing(bare: Path, tmp_path: Path) -> None:
    git(bare, "config", "uploadpack.allowFilter", "true")
    template = tmp_path / "template" / "hooks"
    template.mkdir(parents=True)
    (template / "post-checkout").write_text(f"#!/bin/sh\ntouch {tmp_path}/sentinel\n")
    (template / "post-checkout").chmod(0o755)
    (tmp_path / ".gitconfig").write_text(f"[init]\n\ttemplateDir = {tmp_path}/template\n")
    remotes.clone(str(bare), str(tmp_path / "clone"))
    assert os.listdir(tmp_path / "clone") == [".git"]
    assert git(tmp_path / "clone", "rev-parse", "HEAD") == git(bare, "rev-parse", "main")
    assert remote_of(tmp_path / "clone").tracked
    remotes.clone(f"file://{bare}", str(tmp_path / "filtered"), filter_blobs=True)
    missing = git(tmp_path / "filtered", "rev-list", "--objects", "--missing=print", "HEAD")
    assert "?" in missing
    assert not (tmp_path / "sentinel").exists()
    with pytest.raises(UsageError):
        remotes.clone("ext::sh", str(tmp_path / "other"))
    with pytest.raises(Unreachable):
        remotes.clone(str(tmp_path / "nowhere"), str(tmp_path / "other"))
    assert not (tmp_path / "other").exists()
