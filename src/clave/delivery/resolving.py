"""Looking up what variables ask for: all of it before anything is done with it, and all that is wrong at once.

- A team store is verified first. Each entry that is needed is decrypted once, all of them in one go.
- What is not there is not there only for a variable that says it can be (`optional`, `default`). What cannot be read
  is wrong for every variable: an empty value in its place would be found much later.
- A variable of an environment holds no NUL, and the system bounds its length and that of all together.
- Where several things are wrong the error is of the kind of the worst: not readable, then missing, then unfit.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from clave.delivery.references import WHOLE, Reference
from clave.errors import CannotDecrypt, ClaveError, KeyLocked, NotFound, StoreDamaged, UsageError
from clave.model.secret import OTP, Secret, field_names, find_field, is_file, is_secret_field
from clave.openpgp import bulk
from clave.store import layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from clave.delivery.asked import Variable
    from clave.store.store import Store

    Found = Mapping[Reference, bytes | ClaveError]

# Linux: one string of argv and environment holds 32 pages (execve(2)); all of them three quarters of 8 MiB.
_PAGES = 32
_MOST = 6 << 20
_ROOM = 4096  # bytes that the kernel puts beside them
_POINTER = 8

_IN_A_FILE = 'Hand it over in a file: as = "file".'
_WORST_FIRST = (CannotDecrypt, NotFound, UsageError)


class Resolved(NamedTuple):
    """A variable and its value. `masks` is what of it is secret, and should not be seen in what a program writes."""

    name: str
    value: bytes
    as_file: bool
    masks: tuple[bytes, ...] = ()


def resolve(store: Store, variables: Sequence[Variable], *, environment: bool = True) -> list[Resolved]:
    """Return the variables with their values, in their order; optional ones whose entry is not there are left out.

    With `environment` they are for one, and have to fit. Raises VerificationFailed, and what the rules above say.
    """
    results = attempt(store, variables, environment=environment)
    problems = [(name, result) for name, result in results if isinstance(result, ClaveError)]
    if problems:
        raise all_problems(problems, f"{len(problems)} of {len(variables)} variables cannot be had")
    return [result for _, result in results if isinstance(result, Resolved)]


def attempt(
    store: Store, variables: Sequence[Variable], *, environment: bool = True
) -> list[tuple[str, Resolved | ClaveError | None]]:
    """Return of each variable its value, or why it cannot be had; None for an optional one that is not there."""
    found = look_up(store, {each for variable in variables for each in variable.references})
    results: list[tuple[str, Resolved | ClaveError | None]] = []
    for variable in variables:
        try:
            made = _made(variable, found)
            if environment and made is not None and not made.as_file:
                _check_fits(made)
        except ClaveError as problem:
            results.append((variable.name, problem))
        else:
            results.append((variable.name, made))
    return results


def values(store: Store, references: Iterable[Reference]) -> dict[Reference, bytes]:
    """Return what references mean. Raises as `resolve`."""
    found = look_up(store, references)
    require(found)
    return {each: value for each, value in found.items() if isinstance(value, bytes)}


def require(found: Found) -> None:
    """Raise as `resolve` does, if something of what was looked up cannot be had."""
    problems = [(str(each), value) for each, value in found.items() if isinstance(value, ClaveError)]
    if problems:
        raise all_problems(problems, f"{len(problems)} of {len(found)} references cannot be had")


def look_up(store: Store, references: Iterable[Reference]) -> dict[Reference, bytes | ClaveError]:
    """Return what each reference means, or why that cannot be had. Raises VerificationFailed."""
    wanted = sorted(set(references), key=str)
    store.require_verified(*(each.name for each in wanted))
    plaintexts = _plaintexts(store, dict.fromkeys(each.name for each in wanted))
    found: dict[Reference, bytes | ClaveError] = {}
    for reference in wanted:
        plaintext = plaintexts[reference.name]
        try:
            found[reference] = plaintext if isinstance(plaintext, ClaveError) else _value(plaintext, reference)
        except ClaveError as problem:
            found[reference] = problem
    return found


def sources(store: Store, variables: Iterable[Variable]) -> list[str]:
    """Return the files whose change may change what variables are: the entries, and what is known of their store."""
    names = sorted({each.name for variable in variables for each in variable.references})
    found = [layout.entry_file(store.root, name) for name in names]
    if store.is_team:
        from clave.store.trust import pins

        found.append(pins.location(store.team_repository().common_dir))
    return found


def check_room(argv: Iterable[bytes], env: Mapping[bytes, bytes]) -> None:
    """Raise UsageError for arguments and environment that the system would not take together."""
    most = os.sysconf("SC_ARG_MAX")
    if sys.platform == "linux":
        most = min(most, _MOST)
    strings = [*argv, *(b"%s=%s" % each for each in env.items())]
    size = sum(len(each) + 1 + _POINTER for each in strings) + _ROOM
    if size > most > 0:
        largest = max(env, key=lambda name: len(env[name]), default=b"").decode("utf-8", "replace")
        raise UsageError(
            f"arguments and environment are larger than the {most >> 10} KiB that the system takes",
            f"The largest variable is {largest}. {_IN_A_FILE}",
        )


def _plaintexts(store: Store, names: Iterable[str]) -> dict[str, bytes | ClaveError]:
    found: dict[str, bytes | ClaveError] = {}
    read = layout.reader(store.root)
    ciphertexts: dict[str, bytes] = {}
    for name in names:
        try:
            ciphertexts[name] = read(name)
        except NotFound:
            from clave.store.search import missing

            found[name] = missing(store, name)
        except StoreDamaged as problem:
            found[name] = CannotDecrypt(problem.message, problem.hint)
        except ClaveError as problem:
            found[name] = problem
    try:
        for name, plaintext in bulk.decrypt_many(ciphertexts.items(), options=store.options):
            if isinstance(plaintext, CannotDecrypt):
                found[name] = _with_mend(store, name, plaintext)
            else:
                found[name] = plaintext
    except KeyLocked as problem:  # no further one was tried: it would only prompt again
        found |= dict.fromkeys(ciphertexts.keys() - found.keys(), problem)
    return found


def _value(plaintext: bytes, reference: Reference) -> bytes:
    """Return the part of an entry that a reference means. Raises NotFound, UsageError."""
    name, field = reference
    if field == WHOLE or (field is None and is_file(plaintext)):
        return plaintext
    secret = Secret(plaintext)
    if field is None:
        if secret.password:
            return secret.password
        raise NotFound(f"{name} has no password: its first line is empty", _fields(secret))
    found = find_field(secret, field)
    if found is not None:
        return found
    if field.casefold() == OTP and secret.otp_uris:
        return _code(plaintext, name)
    raise NotFound(f"{name} has no field '{field}'", _fields(secret))


def _fields(secret: Secret) -> str:
    return f"It has: {', '.join(field_names(secret)) or 'none'}."


def _code(plaintext: bytes, name: str) -> bytes:
    from clave.store import otp

    seed = otp.parse(otp.find(plaintext, name))
    if seed.counter is not None:
        raise UsageError(
            f"the codes of {name} go by a counter, and each that is made has to be stored",
            f"Make one, and hand that over: clave otp {name}.",
        )
    return otp.code(seed, time.time()).text.encode()


def _made(variable: Variable, found: Found) -> Resolved | None:
    """Return a variable with its value; None: it is optional and not there. Raises what is wrong with it."""
    if variable.value is not None:
        return Resolved(variable.name, variable.value.encode("utf-8", "surrogateescape"), variable.as_file)
    parts: dict[Reference, bytes] = {}
    absent: NotFound | None = None
    for each in sorted(variable.references, key=str):
        part = found[each]
        if isinstance(part, NotFound):
            absent = absent or part
        elif isinstance(part, ClaveError):
            raise part
        else:
            parts[each] = part
    if absent is not None:
        if variable.default is not None:
            return Resolved(variable.name, variable.default.encode("utf-8", "surrogateescape"), variable.as_file)
        if variable.optional:
            return None
        raise absent
    masks = [part for each, part in parts.items() if each.field in (None, WHOLE) or is_secret_field(each.field or "")]
    if variable.template is not None:
        value = variable.template.fill(parts)
        masks += [value] if masks else []
    else:
        (value,) = parts.values()
    if variable.encoding:
        from base64 import b64encode

        value = b64encode(value)
    return Resolved(variable.name, value, variable.as_file, tuple(masks))


def _check_fits(made: Resolved) -> None:
    if b"\0" in made.value:
        raise UsageError("its value has a NUL, which no variable can hold", f'{_IN_A_FILE} Or: encoding = "base64".')
    if sys.platform == "linux":
        most = _PAGES * os.sysconf("SC_PAGE_SIZE")
        if len(made.name) + len(made.value) + 2 > most:  # `=`, and the NUL at its end
            raise UsageError(
                f"its value is too large: {len(made.value)} bytes, and a variable holds {most >> 10} KiB", _IN_A_FILE
            )


def _with_mend(store: Store, name: str, problem: CannotDecrypt) -> CannotDecrypt:
    """Return why an entry cannot be read: for one that is not encrypted to us who can read it, and whom to ask."""
    if type(problem) is not CannotDecrypt:
        return problem  # it is damaged
    return _of_team(store, name) if store.is_team else _of_recipients(store, name, problem)


def _of_team(store: Store, name: str) -> CannotDecrypt:
    from clave.store.people.access import granted

    team = store.team()
    folder = name.rpartition("/")[0]
    readers = team.roster.readers(folder)
    me = team.me
    if me is not None and me.name in readers:
        return CannotDecrypt(
            f"{name} is not encrypted to a key of yours, though you may read it",
            f"Ask {_any_of(each for each in readers if each != me.name) or team.admins}: clave rekey {name}.",
        )
    who = me.name if me else "YOU"
    mend = f"ask {team.admins}: clave grant {who} {folder or '.'}" if me else "join the team: clave join"
    return CannotDecrypt(f"{name} is readable by {_listed(granted(team.roster, folder))}: {mend}")


def _of_recipients(store: Store, name: str, problem: CannotDecrypt) -> CannotDecrypt:
    from clave.store.audience import audiences

    (audience,) = audiences(store, [name])
    known = [holder.owner.user_id for holder in audience.holders if holder.owner]
    others = len(audience.holders) - len(known) + audience.hidden
    if not known:
        return problem
    who = [*known, f"{others} whom your keyring does not know"] if others else known
    return CannotDecrypt(f"{name} is readable by {_listed(who)}: ask {_any_of(known)} for access")


def all_problems(problems: Sequence[tuple[str, ClaveError]], summary: str) -> ClaveError:
    """Return one error for all that is wrong; of variables with the same problem together."""
    grouped: dict[int, tuple[ClaveError, list[str]]] = {}
    for name, problem in problems:
        grouped.setdefault(id(problem), (problem, []))[1].append(name)
    kind = next(kind for kind in _WORST_FIRST if any(isinstance(problem, kind) for _, problem in problems))
    if len(grouped) == 1:
        ((problem, names),) = grouped.values()
        return kind(f"{', '.join(names)}: {problem.message}", problem.hint)
    return kind(summary, details=tuple(f"{', '.join(names)}: {each.line()}" for each, names in grouped.values()))


def _listed(names: Iterable[str]) -> str:
    return " and ".join(_two(names, ", "))


def _any_of(names: Iterable[str]) -> str:
    return " or ".join(_two(names, ", "))


def _two(names: Iterable[str], separator: str) -> Iterator[str]:
    """Yield all names but the last as one text, then the last."""
    *first, last = [*names] or [""]
    if first:
        yield separator.join(first)
    yield last
