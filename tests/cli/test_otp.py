"""`clave otp …`: the codes of the RFCs, the commands of pass-otp, and URIs that are none."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import ENTRIES, SEED, User
from tests.cli.reading import terminal_output

HOTP = "otpauth://hotp/Example:me?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&counter=0&issuer=Example"


def test_the_code_and_how_long_it_holds(me: User) -> None:
    done = me.ok("otp", "web/site")
    assert re.fullmatch(rb"\d{6}\n", done.out)
    assert re.fullmatch(rb"\d+ s left\n", done.err)
    document = json.loads(me.ok("otp", "code", "--json", "web/site").out)
    assert document.keys() == {"version", "name", "code", "seconds_left"}
    assert 0 < document["seconds_left"] <= 30
    assert set(me.ok("otp", "-q", "web/site").out.decode()) <= set(" ▀▄█\n")
    assert me.ok("web/site#otp").out.strip().isdigit()


def test_codes_are_those_of_pass_otp(me: User) -> None:
    extension = Path("/usr/lib/password-store/extensions/otp.bash")
    if not extension.exists():
        pytest.skip("pass-otp is not installed")
    theirs = subprocess.run(
        ["pass", "otp", "web/site"], env=me.person.env(me.store), capture_output=True, check=True
    ).stdout
    assert theirs in (me.ok("otp", "web/site").out, me.ok("otp", "web/site").out)


def test_hotp_counts_up_before_it_tells(me: User) -> None:
    """RFC 4226, appendix D: the codes of the counters from 1."""
    me.ok("otp", "insert", "token", input=f"{HOTP}\n".encode())
    for number, code in enumerate((b"287082", b"359152", b"969429"), 1):
        done = me.ok("otp", "token")
        assert (done.out, done.err) == (code + b"\n", b"")
        assert f"counter={number}&" in me.read("token").decode()
        assert me.subjects()[0] == "Increment HOTP counter for token."
    (me.store / ".gpg-id").write_text("nobody@example.org\n")
    assert "nobody@example.org" in me.refused(5, "otp", "token")


def test_insert(me: User) -> None:
    me.ok("otp", "insert", "new", input=f"{SEED}\n".encode())
    assert me.read("new") == f"{SEED}\n".encode()
    assert me.subjects()[0] == "Add OTP secret for new to store."
    done = me.ok("otp", "add", input=f"{SEED}\n".encode())
    assert done.err == b"Inserting into Example/me.\n"
    assert me.read("Example/me") == me.read("new")
    assert "An entry already exists for new." in me.refused(2, "otp", "insert", "new", input=f"{SEED}\n".encode())
    me.ok("otp", "insert", "-f", "-s", "-i", "A & B", "-a", "me@x", "new", input=b"jbsw y3dp ehpk 3pxp\n")
    assert me.read("new").startswith(b"otpauth://totp/A%20%26%20B:me%40x?secret=")
    assert me.ok("otp", "new").out.strip().isdigit()


def test_append(me: User) -> None:
    me.ok("otp", "append", "plain", input=f"{SEED}\n".encode())
    assert me.read("plain") == ENTRIES["plain"] + f"{SEED}\n".encode()
    assert me.subjects()[0] == "Append OTP secret for plain."
    assert "already exists for web/site" in me.refused(2, "otp", "append", "web/site", input=f"{HOTP}\n".encode())
    me.ok("otp", "append", "-f", "web/site", input=f"{HOTP}\n".encode())
    assert me.read("web/site") == ENTRIES["web/site"].replace(SEED.encode(), HOTP.encode())
    assert me.subjects()[0] == "Replace OTP secret for web/site."


def test_uri(me: User) -> None:
    assert me.ok("otp", "uri", "web/site").out.decode() == f"{SEED}\n"
    assert set(me.ok("otp", "uri", "--qrcode", "web/site").out.decode()) <= set(" ▀▄█\n")


def test_prompts(me: User) -> None:
    child = me.tty("otp", "insert")
    for prompt in ("Enter", "Retype"):
        child.expect_exact(f"{prompt} otpauth:// URI for this token: ")
        child.waitnoecho()
        child.sendline(SEED)
    child.expect_exact("Insert into Example/me? [y/N] ")
    child.sendline("y")
    said = terminal_output(child)
    assert child.exitstatus == 0, said
    assert me.read("Example/me").decode() == f"{SEED}\n"
    child = me.tty("otp", "append", "-e", "plain")
    child.expect_exact("Enter otpauth:// URI for plain: ")
    child.sendline(SEED)
    terminal_output(child)
    assert child.exitstatus == 0
    child = me.tty("otp", "append", "-fs", "-i", "x", "plain")
    for answer in ("JBSWY3DP", "JBSWY3DQ"):
        child.expect_exact("secret for plain: ")
        child.waitnoecho()
        child.sendline(answer)
    assert b"the entered secrets do not match" in terminal_output(child)
    assert child.exitstatus == 1


BAD = [
    ("https://example.org", "it does not begin with otpauth://totp/"),
    ("otpauth://motp/x?secret=JBSWY3DP", "it does not begin with otpauth://totp/"),
    ("otpauth://totp/?secret=JBSWY3DP", "missing accountname"),
    ("otpauth://totp/x", "missing secret"),
    ("otpauth://totp/x?secret=", "missing secret"),
    ("otpauth://totp/x?secret=01890189", "the secret is not base32"),
    ("otpauth://totp/x?secret=JBSWY3DP&digits=99", "digits is not a number from 6 to 10"),
    ("otpauth://totp/x?secret=JBSWY3DP&period=0", "period is not a number"),
    ("otpauth://totp/x?secret=JBSWY3DP&algorithm=MD5", "the algorithm is none of"),
    ("otpauth://hotp/x?secret=JBSWY3DP", "missing counter"),
]


@pytest.mark.parametrize(("uri", "reason"), BAD)
def test_what_is_no_uri(me: User, uri: str, reason: str) -> None:
    for words in (["otp", "validate"], ["otp", "insert", "new"], ["otp", "append", "plain"]):
        line = me.refused(2, *words, input=f"{uri}\n".encode())
        assert reason in line
        assert "JBSWY3DP" not in line  # it is a secret
    me.ok("insert", "-m", "bad", input=f"pw\n{uri}\n".encode())
    if uri.startswith("otpauth"):
        for words in (["otp", "bad"], ["otp", "uri", "bad"], ["bad#otp"]):
            assert "bad has an invalid key URI" in me.refused(2, *words)


def test_validate(me: User) -> None:
    done = me.ok("otp", "validate", input=f"{SEED}\n".encode())
    assert (done.out, done.err) == (b"", b"")
    assert b"other processes can read" in me.ok("otp", "validate", SEED).err


def test_what_has_no_code(me: User) -> None:
    for words in (["otp", "plain"], ["otp", "uri", "plain"]):
        assert me.refused(3, *words) == "Error: plain has no OTP secret. Give it one: clave otp append plain\n"
    assert "names a field" in me.refused(2, "otp", "web/site#user")
    assert "Missing one of either '--issuer' or '--account'" in me.refused(2, "otp", "insert", "-s", "n", input=b"A\n")
    assert "--issuer and --account with --secret" in me.refused(2, "otp", "insert", "-i", "x", "n", input=b"A\n")
    assert "exclude each other" in me.refused(2, "otp", "-c", "-q", "web/site")
