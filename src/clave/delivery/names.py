"""What a variable for another program may be called.

1. A name is a POSIX one, `[A-Za-z_][A-Za-z0-9_]*`, always: what shells and file formats would take for more than
   a name (`X;touch P`, `a[$(touch P)]`) is none.
2. A name that makes programs run code, read other settings, or leave out a check, whatever its value is meant for,
   needs the word of whoever runs the command (`--allow-env NAME`). A file that came with a clone cannot give it.

Whoever can change such a file, or an entry that it names, would else run code on every machine that uses it. What
only says where a service is (a proxy, a database, KUBECONFIG) is not denied: that is what the variables are for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.errors import UsageError
from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Collection

_SHOWN = 60  # characters of a name that is none

# Why, and which: exact names, or with a `*` at the end all that begin so.
DENIED = {
    "makes the dynamic linker load code": "LD_* DYLD_* _RLD* SHLIB_PATH LIBPATH",
    "changes how the C library works": (
        "GCONV_PATH GETCONF_DIR GLIBC_TUNABLES HOSTALIASES LOCALDOMAIN LOCPATH MALLOC_* NIS_PATH NLSPATH "
        "RESOLV_HOST_CONF RES_OPTIONS TZDIR"
    ),
    "makes a shell run or look for other code": (
        "BASH* CDPATH ENV FCEDIT FIGNORE FPATH GLOBIGNORE IFS KSH_ENV PATH PROMPT PROMPT_COMMAND PROMPT_DIRTRIM PS0 "
        "PS1 PS2 PS3 PS4 RPROMPT RPS1 SHELLOPTS ZDOTDIR MODULE_PATH NULLCMD READNULLCMD cdpath fpath module_path path "
        "prompt fish_* SHELL"
    ),
    "says where programs find their settings": "HOME XDG_* TMPDIR TMP TEMP TEMPDIR USER LOGNAME PWD OLDPWD DIRENV_*",
    "is a program that others start": (
        "*ASKPASS BROWSER EDITOR VISUAL PAGER MANPAGER SYSTEMD_PAGER LESS LESSOPEN LESSCLOSE LESSKEY* SUDO_EDITOR "
        "SUDO_PROMPT RSYNC_RSH RSYNC_CONNECT_PROG SVN_SSH SVN_EDITOR CVS_RSH HGRCPATH HGEDITOR HGMERGE DIFFPROG "
        "PINENTRY* TERMINFO* TERMCAP"
    ),
    "changes what git or ssh run": "GIT_* SSH_*",
    "makes Python run or look for other code": (
        "PYTHON* PIP_* UV_INDEX_URL UV_DEFAULT_INDEX UV_EXTRA_INDEX_URL UV_CONFIG_FILE UV_PYTHON* VIRTUAL_ENV PYENV_*"
    ),
    "makes Node.js run or look for other code": (
        "NODE_OPTIONS NODE_PATH NODE_REPL_* NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED NODE_V8_COVERAGE "
        "NPM_CONFIG_* npm_config_* YARN_RC_FILENAME YARN_YARN_PATH YARN_PLUGINS BUN_OPTIONS BUN_INSTALL DENO_DIR"
    ),
    "makes Perl run or look for other code": "PERL5* PERLLIB PERL_UNICODE PERL_MM_OPT PERL_MB_OPT",
    "makes Ruby run or look for other code": "RUBY* GEM_HOME GEM_PATH GEMRC BUNDLE_GEMFILE BUNDLE_PATH BUNDLE_APP_*",
    "makes Java run other code": (
        "JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS JAVA_OPTS JAVA_HOME CLASSPATH MAVEN_OPTS MAVEN_ARGS "
        "MAVEN_HOME M2_HOME GRADLE_OPTS GRADLE_HOME GRADLE_USER_HOME ANT_OPTS ANT_ARGS ANT_HOME SBT_OPTS CATALINA_OPTS"
    ),
    "makes an interpreter run or look for other code": (
        "PHPRC PHP_INI_SCAN_DIR LUA_* LUAROCKS_CONFIG R_PROFILE* R_ENVIRON* R_LIBS* R_HOME "
        "JULIA_* ERL_* ELIXIR_ERL_OPTIONS TCLLIBPATH GUILE_* "
        "DOTNET_STARTUP_HOOKS DOTNET_ADDITIONAL_DEPS DOTNET_SHARED_STORE CORECLR_* COR_PROFILER* COMPlus_*"
    ),
    "makes a compiler or a build run other code": (
        "MAKEFLAGS MFLAGS GNUMAKEFLAGS MAKEFILES MAKESHELL CC CXX CPP CFLAGS CXXFLAGS LDFLAGS CMAKE_* GCC_EXEC_PREFIX "
        "COMPILER_PATH CARGO_HOME CARGO_BUILD_* CARGO_TARGET_* RUSTC* RUSTDOC* RUSTFLAGS RUSTUP_* GOENV GOFLAGS "
        "GOROOT GOPATH GOTOOLCHAIN GOPROXY GOSUMDB GONOSUMDB GONOSUMCHECK GOINSECURE GOPRIVATE"
    ),
    "makes a library load other code": (
        "GTK_* GIO_* GST_* QT_* QML* GDK_PIXBUF_* GI_TYPELIB_PATH GSETTINGS_* VK_* LIBGL_* OCL_*"
    ),
    "says whose certificates are trusted, or what OpenSSL loads": (
        "OPENSSL_* SSL_CERT_FILE SSL_CERT_DIR SSLKEYLOGFILE CURL_CA_BUNDLE CURL_HOME REQUESTS_CA_BUNDLE"
    ),
    "belongs to clave or gpg": "CLAVE_* PASSWORD_STORE_* GNUPGHOME GPG_AGENT_INFO GPG_TTY",
}


def check(name: str, allowed: Collection[str] = ()) -> None:
    """Raise UsageError for what is no name, and for a name of DENIED that is not among the `allowed`."""
    if not is_name(name):
        shown = printable(name[:_SHOWN]) + "…" * (len(name) > _SHOWN)
        raise UsageError(
            f"'{shown}' cannot be the name of a variable", "Use letters, digits and '_', and no digit first."
        )
    reason = denied(name)
    if reason is not None and name not in allowed:
        raise UsageError(
            f"{name} is refused as the name of a variable: it {reason}",
            f"If you mean it, pass --allow-env {name} on the command line.",
        )


def is_name(name: str) -> bool:
    """Tell whether this is a POSIX name."""
    return name.isascii() and name.isidentifier()


def denied(name: str) -> str | None:
    """Return what a name of DENIED does, None for any other."""
    if name in _EXACT:
        return _EXACT[name]
    return next((reason for begin, end, reason in _PARTS if name.startswith(begin) and name.endswith(end)), None)


_WORDS = [(word, reason) for reason, words in DENIED.items() for word in words.split()]
_EXACT = {word: reason for word, reason in _WORDS if "*" not in word}
_PARTS = [(*word.split("*"), reason) for word, reason in _WORDS if "*" in word]
