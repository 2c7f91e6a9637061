"""What a variable may be called."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clave.delivery import names
from clave.errors import UsageError

NONE = ["", "1A", "A-B", "A B", "X;touch P;Y", "a[$(touch P)]", "A\n", "A=B", "Ä", "A\0", "BASH_FUNC_ls%%", "a.b", "²"]
DANGEROUS = """
    LD_PRELOAD LD_LIBRARY_PATH DYLD_INSERT_LIBRARIES BASH_ENV ENV PATH path IFS PS4 PROMPT_COMMAND PYTHONPATH
    PYTHONSTARTUP NODE_OPTIONS PERL5LIB PERL5OPT RUBYOPT GIT_SSH_COMMAND GIT_CONFIG_COUNT SSH_ASKPASS SUDO_ASKPASS
    JAVA_TOOL_OPTIONS _JAVA_OPTIONS GCONV_PATH LOCPATH MALLOC_CHECK_ GNUPGHOME PASSWORD_STORE_DIR CLAVE_ROOT EDITOR
    VISUAL PAGER BROWSER SHELL HOME XDG_CONFIG_HOME TMPDIR ZDOTDIR LESSOPEN MAKEFLAGS RUSTC_WRAPPER GLIBC_TUNABLES
    DOTNET_STARTUP_HOOKS OPENSSL_CONF npm_config_script_shell fish_function_path DIRENV_DIFF LUA_INIT
"""
HARMLESS = """
    DATABASE_URL API_KEY _X a1 GITHUB_TOKEN NODE_ENV CARGO_REGISTRY_TOKEN MAVEN_PASSWORD AWS_SECRET_ACCESS_KEY
    KUBECONFIG HTTPS_PROXY PGPASSWORD GPG_PASSPHRASE RSYNC_PASSWORD PATHS MY_PATH ENVIRONMENT HOMEPAGE
    GEM_HOST_API_KEY YARN_NPM_AUTH_TOKEN UV_PUBLISH_TOKEN NPM_TOKEN
"""


@pytest.mark.parametrize("name", NONE)
def test_what_is_no_name_is_refused_whoever_says_so(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a variable"):
        names.check(name, [name])


@pytest.mark.parametrize("name", DANGEROUS.split())
def test_a_name_that_runs_code_needs_the_callers_word(name: str) -> None:
    with pytest.raises(UsageError, match=f"^{name} is refused") as refusal:
        names.check(name, ["OTHER"])
    assert f"--allow-env {name}" in refusal.value.line()
    names.check(name, [name])


@pytest.mark.parametrize("name", HARMLESS.split())
def test_other_names_are_for_everybody(name: str) -> None:
    names.check(name)


def test_a_name_that_is_none_is_shown_harmlessly_and_in_part() -> None:
    with pytest.raises(UsageError) as refusal:
        names.check("\x1b[31m" + "x" * 5000)
    assert "\x1b" not in refusal.value.message
    assert len(refusal.value.message) < 200


@given(st.text(st.sampled_from(string.printable + "é\0"), max_size=6))
def test_a_name_is_posix(name: str) -> None:
    assert names.is_name(name) == bool(re.match(r"^[A-Za-z_][A-Za-z0-9_]*\Z", name, re.ASCII))
