"""Nothing in a repository, its configuration, the user's, or the environment runs a program or misleads clave."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.reliability.battery import Battery
from tests.reliability.checks import assert_explained, git, head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Person, Run
    from tests.reliability.conftest import Place

HOOKS = (
    "applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg",
    "commit-msg", "post-commit", "pre-rebase", "post-checkout", "post-merge", "pre-push", "pre-receive", "update",
    "proc-receive", "post-receive", "post-update", "reference-transaction", "push-to-checkout", "pre-auto-gc",
    "post-rewrite", "sendemail-validate", "fsmonitor-watchman", "post-index-change",
)  # fmt: skip
# Every setting that names a program which some git command may start here.
PROGRAMS = (
    "core.fsmonitor", "core.pager", "pager.log", "pager.diff", "pager.show", "diff.external", "diff.x.command",
    "diff.x.textconv", "diff.gpg.textconv", "diff.gpg.command", "filter.x.clean", "filter.x.smudge", "filter.x.process",
    "merge.x.driver", "core.editor", "sequence.editor", "core.askPass", "core.sshCommand", "credential.helper",
    "core.alternateRefsCommand", "uploadpack.packObjectsHook", "interactive.diffFilter", "gc.recentObjectsHook",
)  # fmt: skip
# Settings of honest users that change what git prints or how it stores things.
ODD = {
    "color.ui": "always", "log.showSignature": "true", "log.decorate": "full", "log.follow": "true", "log.date": "iso",
    "log.mailmap": "true", "format.pretty": "oneline", "diff.noprefix": "true", "diff.renames": "copies",
    "core.abbrev": "4", "core.autocrlf": "true", "core.eol": "crlf", "core.safecrlf": "true", "core.ignorecase": "true",
    "core.quotePath": "false", "i18n.logOutputEncoding": "latin1", "i18n.commitEncoding": "latin1",
    "index.version": "4", "core.splitIndex": "true", "core.untrackedCache": "true", "core.commentChar": "G",
    "commit.cleanup": "scissors", "commit.template": "/nonexistent", "core.logAllRefUpdates": "false",
    "status.relativePaths": "false", "status.short": "true", "diff.wordRegex": ".", "core.preferSymlinkRefs": "false",
    "transfer.unpackLimit": "1", "fetch.unpackLimit": "1", "core.bigFileThreshold": "1",
    "gpg.format": "ssh", "merge.ff": "only", "pull.rebase": "true", "submodule.recurse": "true",
    "core.whitespace": "fix",
    "apply.whitespace": "fix", "push.gpgSign": "true", "tag.gpgSign": "true", "core.attributesFile": "/nonexistent",
}  # fmt: skip
ATTRIBUTES = "".join(
    f"{pattern} text eol=crlf filter=x diff=x merge=x ident working-tree-encoding=UTF-16 -binary\n"
    for pattern in ("*.gpg", ".gpg-id", "**/*.gpg")
)
AS_MEMBER = ("-c", "user.name=m", "-c", "user.email=m@x", "-c", "core.hooksPath=/dev/null")


@pytest.fixture
def sentinel(tmp_path: Path) -> Iterator[Path]:
    """A program that must not be started."""
    path = tmp_path / "sentinel"
    path.write_text(f'#!/bin/sh\necho "$0 $@" >> {tmp_path}/started\ncat\n')
    path.chmod(0o700)
    yield path
    started = tmp_path / "started"
    assert not started.exists(), started.read_text()


@pytest.fixture
def user_config(pair: list[Person]) -> Iterator[Callable[[str, str], None]]:
    """Return a function that sets something in the user's own git configuration."""
    file = pair[0].home / ".gitconfig"
    yield lambda key, value: subprocess.run(["git", "config", "--file", file, key, value], check=True) and None
    file.unlink(missing_ok=True)


def commit_file(place: Place, name: str, text: str) -> None:
    """Commit a file of the store as another member would, with plain git."""
    assert place.repository
    (place.store / name).write_text(text)
    git(place.repository, *AS_MEMBER, "add", place.store / name)
    git(place.repository, *AS_MEMBER, "commit", "-q", "-m", "a file", "--", place.store / name)


@pytest.mark.parametrize(
    ("place", "whose"), [("git", "the user's"), ("bigger", "the repository's")], indirect=["place"]
)
def test_no_program_of_a_configuration_is_started(
    place: Place, sentinel: Path, user_config: Callable[[str, str], None], whose: str
) -> None:
    assert place.repository
    place.whole()
    hooks = place.repository / ".git" / "hooks"
    if whose == "the user's":
        hooks = place.repository.parent / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in HOOKS:
        (hooks / name).unlink(missing_ok=True)
        (hooks / name).symlink_to(sentinel)
    commit_file(place, ".gitattributes", ATTRIBUTES)
    for key in PROGRAMS:
        if whose == "the user's":
            user_config(key, str(sentinel))
        else:
            git(place.repository, "config", key, str(sentinel))
    if whose == "the user's":
        user_config("core.hooksPath", str(hooks))
    run = Battery(place)
    run.writes()
    run.reads_history()
    run("doctor", code=None)
    for key in PROGRAMS:  # so that the checks, which are plain git's, do not start them
        git(place.repository, "config", "--unset", key, check=False)
    (place.person.home / ".gitconfig").unlink(missing_ok=True)
    for name in HOOKS:
        (hooks / name).unlink()
    place.whole()


def test_no_variable_of_git_has_an_effect(place: Place, sentinel: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git(tmp_path, "init", "-q", "other")
    trace = tmp_path / "trace"
    run = Battery(
        place,
        GIT_DIR=str(other / ".git"),
        GIT_WORK_TREE=str(other),
        GIT_INDEX_FILE=str(other / "index"),
        GIT_OBJECT_DIRECTORY=str(other / "objects"),
        GIT_ALTERNATE_OBJECT_DIRECTORIES=str(other / "objects"),
        GIT_COMMON_DIR=str(other),
        GIT_NAMESPACE="elsewhere",
        GIT_CONFIG_COUNT="2",
        GIT_CONFIG_KEY_0="core.fsmonitor",
        GIT_CONFIG_VALUE_0=str(sentinel),
        GIT_CONFIG_KEY_1="core.hooksPath",
        GIT_CONFIG_VALUE_1=str(sentinel.parent),
        GIT_CONFIG_PARAMETERS=f"'core.fsmonitor'='{sentinel}'",
        GIT_CONFIG_GLOBAL=str(sentinel),
        GIT_CONFIG_SYSTEM=str(sentinel),
        GIT_EXTERNAL_DIFF=str(sentinel),
        GIT_EXEC_PATH=str(tmp_path),
        GIT_TEMPLATE_DIR=str(tmp_path),
        GIT_TRACE=str(trace),
        GIT_TRACE_SETUP=str(trace),
        GIT_TRACE2=str(trace),
        GIT_TRACE2_EVENT=str(trace),
        GIT_TRACE_PACKET=str(trace),
        GIT_PYTHON_TRACE="full",
        GIT_PYTHON_GIT_EXECUTABLE=str(sentinel),
        GIT_DEFAULT_HASH="sha256",
        GIT_REPLACE_REF_BASE="refs/heads",
        GIT_CEILING_DIRECTORIES=str(place.store),
        GIT_GLOB_PATHSPECS="1",
        GIT_ICASE_PATHSPECS="1",
        GIT_FLUSH="1",
        GIT_DISCOVERY_ACROSS_FILESYSTEM="0",
        GIT_QUARANTINE_PATH=str(other),
        GIT_PAGER=str(sentinel),
        GIT_EDITOR=str(sentinel),
        PAGER=str(sentinel),
    )
    run.writes()
    run.reads_history()
    run("init", "-p", "a", place.person.fingerprint)
    place.state.readers["a"] = (place.person.fingerprint,)
    place.whole()
    assert not trace.exists()
    assert sorted(path.name for path in other.iterdir()) == [".git"]
    assert not (other / ".git" / "index").exists()
    assert not git(other, "for-each-ref")


def test_odd_settings_of_git_change_nothing(place: Place, user_config: Callable[[str, str], None]) -> None:
    for key, value in ODD.items():
        user_config(key, value)
    run = Battery(place)
    run.writes()
    run.reads_history()
    (place.person.home / ".gitconfig").unlink()
    place.whole()


@pytest.mark.parametrize("place", ["git", "bigger"], indirect=True)
def test_attributes_of_a_member_change_no_byte(place: Place, sentinel: Path) -> None:
    """In the store's folder and below; also what plain git checks out afterwards is the same."""
    assert place.repository
    Battery(place)("insert", "-m", "first/write", input=b"so that clave has been here\n")
    place.state.entries["first/write"] = b"so that clave has been here\n"
    git(place.repository, "config", "filter.x.clean", str(sentinel))
    git(place.repository, "config", "filter.x.smudge", str(sentinel))
    for folder in ("", "team/", "team/deep/"):
        commit_file(place, f"{folder}.gitattributes", "*.gpg text eol=crlf filter=x ident\n.gpg-id eol=crlf filter=x\n")
    Battery(place).writes()
    for path in place.state.files():
        (place.store / path).unlink()
    git(place.repository, "checkout", "-q", "--", place.store)
    place.whole()


@pytest.mark.parametrize("place", ["bigger"], indirect=True)
def test_what_is_around_a_store_stays_byte_for_byte(place: Place, clave: Run) -> None:
    """Filters, line ends, hooks, attributes, staged and unstaged changes of the repository that the store is in."""
    top = place.repository
    assert top
    git(top, "config", "filter.rot.clean", "tr a-y b-z")
    git(top, "config", "filter.rot.smudge", "tr b-z a-y")
    (top / ".gitattributes").write_text("*.txt filter=rot\n*.md text eol=crlf\n")
    (top / ".git" / "info" / "attributes").write_text("*.bin binary")
    (top / ".git" / "hooks" / "pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (top / ".git" / "hooks" / "pre-commit").chmod(0o755)
    for name in ("one.txt", "two.md", "three.bin", "secrets/README.md"):
        (top / name).write_bytes(b"abc\r\nabc\n")
        git(top, "add", name)
    (top / "one.txt").write_bytes(b"changed after that\r\n")
    (top / "secrets" / "README.md").unlink()
    (top / "untracked").write_bytes(b"not to be touched")
    theirs = ("notes.txt", "one.txt", "two.md", "three.bin", "secrets/README.md", ".gitattributes")

    def around() -> tuple[object, ...]:
        files = [path for path in top.rglob("*") if path.is_file() and "objects" not in path.parts]
        bytes_of = {
            path: path.read_bytes() for path in files
            if path.suffix != ".gpg" and path.name != ".gpg-id"
            and not ({"logs", "refs"} & set(path.parts) or path.name in ("index", "attributes", "COMMIT_EDITMSG"))
        }  # fmt: skip
        return bytes_of, git(top, "ls-files", "--stage", *theirs), git(top, "diff", "--cached", "--", *theirs)

    before, status = around(), git(top, "status", "--porcelain")
    Battery(place).writes()
    assert around() == before
    assert git(top, "status", "--porcelain") == status
    attributes = (top / ".git" / "info" / "attributes").read_text().splitlines()
    assert attributes[0] == "*.bin binary"
    for name in place.state.entries:
        place.checker.assert_entry(place.state, name)


@pytest.mark.parametrize("place", ["bigger"], indirect=True)
def test_a_bare_repository_in_the_place_of_the_store_is_not_gits(place: Place, clave: Run, sentinel: Path) -> None:
    """A member's commit can make the store's folder look like a repository of its own, with programs to run."""
    for name in ("objects", "refs"):
        (place.store / name).mkdir()
    (place.store / "HEAD").write_text("ref: refs/heads/main\n")
    config = f"[core]\n\trepositoryformatversion = 0\n\tworktree = {place.store}\n\tfsmonitor = {sentinel}\n"
    (place.store / "config").write_text(config)
    for words in (["git", "status"], ["git", "diff", "HEAD"], ["log"], ["diff", "a", "HEAD"], ["grep", "first"]):
        clave(place.person, place.store, *words)
    assert clave(place.person, place.store, "insert", "-m", "-f", "a", input=b"a new value here\n").code == 0
    assert b"a.gpg" in git(place.repository or place.store, "show", "--stat", "HEAD")


def test_a_replaced_object_has_no_effect(place: Place, pair: list[Person]) -> None:
    run = Battery(place)
    old = git(place.store, "rev-parse", "HEAD:a.gpg").decode().strip()
    other = git(place.store, "rev-parse", "HEAD:team/x.gpg").decode().strip()
    git(place.store, "replace", old, other)
    commit, first = head(place.store), git(place.store, "rev-list", "--max-parents=0", "HEAD").decode().split()[0]
    git(place.store, "replace", commit, first)
    assert run("show", "--at", "HEAD", "a").out == b"first a\n"
    assert run("log").out.count(b"\n") > 5
    run.writes()
    git(place.store, "replace", "-d", old, commit)
    place.whole()


def test_a_detached_head(place: Place) -> None:
    branch = git(place.store, "symbolic-ref", "HEAD").decode().strip()
    at = head(place.store)
    git(place.store, "checkout", "-q", "--detach")
    run = Battery(place)
    run.writes()
    place.whole()
    assert git(place.store, "rev-parse", branch).decode().strip() == at


def test_an_unborn_branch(place: Place, clave: Run) -> None:
    """A repository without a commit: the first write is its first commit, of that entry alone."""
    git(place.store, "update-ref", "-d", "HEAD")
    git(place.store, "rm", "-r", "-q", "--cached", ".")
    assert clave(place.person, place.store, "insert", "-m", "new", input=b"the very first\n").code == 0
    assert git(place.store, "ls-tree", "-r", "--name-only", "HEAD") == b"new.gpg\n"
    assert git(place.store, "rev-list", "--count", "HEAD") == b"1\n"
    done = clave(place.person, place.store, "insert", "-m", "-f", "a", input=b"over what is not committed\n")
    assert_explained(done, 7, "a.gpg", "not committed")
    assert clave(place.person, place.store, "a").out == b"first a\n"
    git(place.store, "add", "-A")
    git(place.store, *AS_MEMBER, "commit", "-qm", "the rest")
    place.state.entries["new"] = b"the very first\n"
    place.whole()


def test_a_store_with_other_hashes(place: Place, clave: Run, tmp_path: Path) -> None:
    """A sha256 repository with the same content."""
    (place.store / ".git").rename(tmp_path / "old-git")
    git(place.store, "init", "-q", "--object-format=sha256")
    git(place.store, "add", "-A")
    git(place.store, *AS_MEMBER, "commit", "-qm", "all")
    run = Battery(place)
    run.writes()
    run.reads_history()
    assert len(head(place.store)) == 64
    place.whole()


def test_a_linked_work_tree(place: Place, tmp_path: Path) -> None:
    main = place.store
    linked = tmp_path / "linked"
    at = head(main)
    git(main, "worktree", "add", "-q", str(linked), "-b", "other")
    place.store = place.repository = place.checker.store = place.checker.repository = linked
    run = Battery(place)
    run.writes()
    place.whole()
    assert head(main) == at
    assert git(main, "status", "--porcelain") == b""


@pytest.mark.parametrize("key", ["commit.gpgsign", "pass.signcommits"])
def test_a_commit_that_cannot_be_signed_is_not_made(place: Place, clave: Run, key: str) -> None:
    before = head(place.store)
    git(place.store, "config", key, "true")
    git(place.store, "config", "user.signingkey", "0x1234567890ABCDEF")
    for words in (["insert", "-m", "-f", "a"], ["rm", "-f", "a"], ["mv", "team/", "b"]):
        assert_explained(clave(place.person, place.store, *words, input=b"not stored\n"), 7)
    assert head(place.store) == before
    place.whole()


@pytest.mark.parametrize("key", ["commit.gpgsign", "pass.signcommits"])
def test_commits_are_signed_with_openpgp_whatever_the_user_has_set(
    place: Place, clave: Run, user_config: Callable[[str, str], None], key: str
) -> None:
    user_config("gpg.format", "ssh")
    user_config("gpg.ssh.program", "/bin/false")
    git(place.store, "config", key, "true")
    git(place.store, "config", "user.signingkey", place.person.fingerprint)
    assert clave(place.person, place.store, "insert", "-m", "-f", "a", input=b"signed and stored\n").code == 0
    assert b"BEGIN PGP SIGNATURE" in git(place.store, "cat-file", "commit", "HEAD")
    place.state.entries["a"] = b"signed and stored\n"
    (place.person.home / ".gitconfig").unlink()
    place.whole()


def test_commits_are_signed_with_ssh_where_the_users_key_is_one(
    place: Place, clave: Run, user_config: Callable[[str, str], None]
) -> None:
    """Whoever signs all commits with an SSH key can use a store as before; the log knows no such signer."""
    key = place.person.home / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    user_config("gpg.format", "ssh")
    user_config("commit.gpgsign", "true")
    user_config("user.signingkey", f"{key}.pub")
    assert clave(place.person, place.store, "insert", "-m", "-f", "a", input=b"signed and stored\n").code == 0
    assert b"BEGIN SSH SIGNATURE" in git(place.store, "cat-file", "commit", "HEAD")
    said = clave(place.person, place.store, "log", "a")
    assert (said.code, said.err) == (0, b"")
    assert b"\tgood\t" not in said.out
    assert b"sign commits with ssh" in clave(place.person, place.store, "doctor").out
    user_config("user.signingkey", str(place.person.home / "missing.pub"))
    before = head(place.store)
    assert_explained(clave(place.person, place.store, "insert", "-m", "-f", "a", input=b"not stored\n"), 7)
    assert head(place.store) == before
    place.state.entries["a"] = b"signed and stored\n"
    (place.person.home / ".gitconfig").unlink()
    place.whole()


# What somebody may have put into a local store


def plumb(place: Place, name: bytes, kind: str, target: str) -> None:
    """Commit a tree that has one entry more, of any name, mode and id: no porcelain would make it."""
    tree = git(place.store, "ls-tree", "-z", "HEAD") + f"{kind} {target}\t".encode() + name + b"\0"
    made = subprocess.run(["git", "-C", place.store, "mktree", "-z"], input=tree, capture_output=True, check=True)
    argv = [
        "-c",
        "user.name=m",
        "-c",
        "user.email=m@x",
        "commit-tree",
        "-p",
        "HEAD",
        "-m",
        "hello",
        made.stdout.strip(),
    ]
    git(place.store, "update-ref", "HEAD", git(place.store, *argv).decode().strip())


@pytest.mark.parametrize("name", [b"..", b".", b".git", b".GIT", b"-rf"], ids=repr)
def test_folders_with_hostile_names_touch_nothing_outside(
    place: Place, clave: Run, tmp_path: Path, name: bytes
) -> None:
    plumb(place, name, "040000 tree", git(place.store, "rev-parse", "HEAD:team").decode().strip())
    assert_nothing_outside_is_touched(place, clave, tmp_path, os.fsdecode(name) + "/x")


@pytest.mark.parametrize(
    "name", [b"..", b"-rf.gpg", b"\x1b[2J.gpg", b"a\nb.gpg", b"\xe2\x80\xaee.gpg", b"\xff.gpg"], ids=repr
)
def test_files_with_hostile_names_touch_nothing_outside(place: Place, clave: Run, tmp_path: Path, name: bytes) -> None:
    plumb(place, name, "100644 blob", git(place.store, "rev-parse", "HEAD:a.gpg").decode().strip())
    assert_nothing_outside_is_touched(place, clave, tmp_path, os.fsdecode(name).removesuffix(".gpg"))


def assert_nothing_outside_is_touched(place: Place, clave: Run, tmp_path: Path, name: str) -> None:
    config = (place.store / ".git" / "config").read_bytes()
    hooks = sorted((place.store / ".git").glob("hooks/*"))
    for words in (
        ["log"], ["restore", "--", name, "HEAD"], ["show", "--at", "HEAD", "--", name], ["diff", "--", name, "HEAD"],
        ["insert", "-m", "-f", "a"], ["mv", "team/", "moved"], ["undo"],
    ):  # fmt: skip
        done = clave(place.person, place.store, *words, input=b"over the old one\n")
        assert done.code in (0, 1, 2, 3, 7, 8), (words, done)
        assert not set("\x1b\u202e") & set((done.out + done.err).decode())
        assert b"Traceback" not in done.err
        assert b"internal error" not in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["place"]
    assert (place.store / ".git" / "config").read_bytes() == config
    assert sorted((place.store / ".git").glob("hooks/*")) == hooks
    assert not [*(place.store / ".git").glob("*.gpg")]


def test_a_symlink_out_of_the_store_is_refused(place: Place, clave: Run, tmp_path: Path) -> None:
    secret = tmp_path / "outside.gpg"
    secret.write_bytes((place.store / "a.gpg").read_bytes())
    (tmp_path / "folder").mkdir()
    (place.store / "x.gpg").symlink_to("/etc/passwd")
    (place.store / "y.gpg").symlink_to(secret)
    (place.store / "out").symlink_to(tmp_path / "folder")
    git(place.store, "add", "-A")
    git(place.store, *AS_MEMBER, "commit", "-qm", "aliases")
    before = head(place.store)
    for words in (
        ["show", "x"], ["x"], ["show", "y"], ["insert", "-m", "-f", "x"], ["insert", "-m", "-f", "y"],
        ["generate", "-f", "x"], ["generate", "-i", "y"], ["edit", "y"], ["insert", "-m", "out/new"],
        ["cp", "a", "out/"], ["mv", "a", "out/a"], ["cp", "team/", "out/"], ["init", "-p", "out", "alice"],
    ):  # fmt: skip
        done = clave(place.person, place.store, *words, input=b"must go nowhere\n", EDITOR="sed -i s/f/g/")
        assert_explained(done, done.code)
        assert done.code in (2, 8), (words, done)
        assert (done.out, head(place.store)) == (b"", before), words
    assert secret.read_bytes() == (place.store / "a.gpg").read_bytes()
    assert not list((tmp_path / "folder").iterdir())
    for name in ("x", "y"):
        assert clave(place.person, place.store, "rm", "-f", name).code == 0
    assert secret.exists()
    assert Path("/etc/passwd").exists()


def test_a_submodule_is_not_followed(place: Place, clave: Run) -> None:
    plumb(place, b"sub", "160000 commit", head(place.store))
    (place.store / ".gitmodules").write_text('[submodule "sub"]\n\tpath = sub\n\turl = ext::sh -c "touch /tmp/x"\n')
    git(place.store, "add", ".gitmodules")
    for words in (["log"], ["ls"], ["grep", "first"]):
        assert clave(place.person, place.store, *words).code == 0
    assert clave(place.person, place.store, "insert", "-m", "-f", "a", input=b"beside a submodule\n").code == 0
    assert b"160000 commit" in git(place.store, "ls-tree", "HEAD", "sub")
