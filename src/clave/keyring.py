"""clave as a backend of Python's keyring, so that pip, twine, poetry and others find their passwords in the store.

keyring finds this module by its entry point, and takes the backend of the highest priority. This one comes after those
of a desktop, so that nobody's passwords move on the day on which they install clave; where there is no desktop it is
the one. To choose it: `PYTHON_KEYRING_BACKEND=clave.keyring.Keyring`, or `default-keyring` in keyring's own settings.

What an entry is called is decided in `delivery.logins`. Errors are keyring's, with the words of clave.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from keyring import errors
from keyring.backend import KeyringBackend
from keyring.compat import properties
from keyring.credentials import SimpleCredential

from clave.errors import ClaveError, Interrupted, KeyLocked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyring.credentials import Credential

    from clave.config import Settings

_PRIORITY = 0.5  # below 1: works, and is not recommended over what the desktop has


class Keyring(KeyringBackend):
    """The store of this user; see `delivery.logins` for which entry is whose."""

    @properties.classproperty
    def priority(self) -> float:
        """How much this backend is to be preferred. Raises NoKeyringError where there is no store."""
        from clave.store import stores

        try:
            stores.open_store(_settings())
        except ClaveError as problem:
            raise errors.NoKeyringError(problem.line()) from None
        return _PRIORITY

    def get_password(self, service: str, username: str) -> str | None:
        """Return a password, None where there is none. Raises KeyringLocked, NoKeyringError, KeyringError."""
        found = self.get_credential(service, username)
        return found.password if found else None

    def get_credential(self, service: str, username: str | None) -> Credential | None:
        """Return user name and password; without `username` those of the only one. Raises as `get_password`."""
        from clave.delivery import logins

        with _told():
            found = logins.find(_settings(), service, username)
        return SimpleCredential(found.user or username or "", found.password) if found else None

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a password. Raises PasswordSetError, and as `get_password`."""
        from clave.delivery import logins

        with _told(errors.PasswordSetError):
            logins.save(_settings(), service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        """Remove a password. Raises PasswordDeleteError, and as `get_password`."""
        from clave.delivery import logins

        with _told(errors.PasswordDeleteError):
            logins.remove(_settings(), service, username)


def _settings() -> Settings:
    from clave.config import load

    return load()


@contextmanager
def _told(otherwise: type[errors.KeyringError] = errors.KeyringError) -> Iterator[None]:
    """Raise keyring's errors in the place of clave's; `otherwise` for what keyring has no other class for."""
    from clave.store.stores import NoStore

    try:
        yield
    except NoStore as problem:
        raise errors.NoKeyringError(problem.line()) from None
    except KeyLocked as problem:
        raise errors.KeyringLocked(problem.line()) from None
    except Interrupted:
        raise KeyboardInterrupt from None
    except ClaveError as problem:
        raise otherwise(problem.line()) from None
