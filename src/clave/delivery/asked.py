"""What a program asks for, as a manifest of any form says it: values, which `manifest` and `summon` read from files."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clave.delivery.references import Reference, Template


class Variable(NamedTuple):
    """A variable that a program gets: exactly one of `secret`, `template` and `value` says what is in it.

    `optional`: it is left out where there is no such entry or field; `default` is what it then is instead.
    `encoding` is how the value is written in it: as it is, or in base64. `as_file`: it holds the path of a file with
    the value.
    """

    name: str
    secret: Reference | None = None
    template: Template | None = None
    value: str | None = None
    as_file: bool = False
    optional: bool = False
    default: str | None = None
    encoding: str = ""
    description: str = ""

    @property
    def references(self) -> frozenset[Reference]:
        """What has to be known to make its value."""
        if self.template is not None:
            return self.template.references
        return frozenset() if self.secret is None else frozenset((self.secret,))


class Profile(NamedTuple):
    """The variables of a profile itself; `inherit`: it has those outside of profiles too."""

    variables: tuple[Variable, ...]
    inherit: bool = True


class Manifest(NamedTuple):
    """What a manifest says. `path` is absolute; `store_id` and `url` are "" where it does not say which store.

    `needs_profile`: all that it says is in profiles, and one has to be chosen.
    """

    path: str
    store_id: str = ""
    url: str = ""
    base: tuple[Variable, ...] = ()
    profiles: Mapping[str, Profile] = MappingProxyType({})
    needs_profile: bool = False

    def variables(self, profile: str | None = None) -> tuple[Variable, ...]:
        """Return the variables of a profile, or those that need none. Raises NotFound, UsageError."""
        if profile is None and self.needs_profile:
            raise UsageError(f"{self.path} has sections alone", f"Choose one with -p: {', '.join(self.profiles)}.")
        if profile is None:
            return self.base
        if profile not in self.profiles:
            from difflib import get_close_matches

            close = get_close_matches(profile, self.profiles, n=1)
            there = f"It has: {', '.join(self.profiles)}." if self.profiles else "It has none."
            hint = f"Did you mean '{close[0]}'?" if close else there
            raise NotFound(f"{self.path} has no profile '{profile}'", hint)
        chosen = self.profiles[profile]
        named = {each.name: each for each in (self.base if chosen.inherit else ())}
        return tuple((named | {each.name: each for each in chosen.variables}).values())

    def everything(self) -> list[Variable]:
        """Return the variables of all profiles, and those outside."""
        return list(dict.fromkeys((*self.base, *(each for profile in self.profiles.values() for each in profile[0]))))

    def references(self, profile: str | None = None) -> frozenset[Reference]:
        """Return what the variables of a profile are made of."""
        return frozenset(each for variable in self.variables(profile) for each in variable.references)
