"""Rotating a value: the steps of `rotation.steps`, with the store, its remote and a driver.

- *create*: the new value is committed as pending, and shared, before anything outside is touched. Where the remote
  cannot be reached, it is taken back: nothing has happened.
- *set* and *test* touch what is outside, and no lock is held.
- *promote*: one commit makes the pending value the entry's and takes the pending file away; it is shared before the old
  value may go outside, because others still use that.
- A step that fails leaves both values readable, for everybody who reads the entry; what ends it is told.
- Whoever goes on with a rotation of somebody else's uses the driver and the options of the policy, or has agreed to
  others: what a file of a colleague says must not send passwords to where it likes.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from clave import places
from clave.errors import ClaveError, Finding, Interrupted, NotFound, StoreDamaged, UsageError
from clave.model.name import SUFFIX, check, pending_path
from clave.model.secret import Secret, compare
from clave.rotation import drivers, pending
from clave.rotation.drivers import MANUAL, DriverFailed, Rotation
from clave.rotation.pending import Pending
from clave.rotation.steps import Found, Refusal, Step, Wish, after_try, steps
from clave.store import layout
from clave.store.lifecycle import pending as kept
from clave.store.operation import begin
from clave.store.reading import read
from clave.vcs.remote import Unreachable
from clave.vcs.worktree import Link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from clave.rotation.drivers import Driver
    from clave.store.store import Store

T = TypeVar("T")


class Choice(NamedTuple):
    """A driver and its options."""

    driver: str
    options: Mapping[str, Any] = {}

    def line(self) -> str:
        """Return it in words."""
        options = ", ".join(f"{key} = {value!r}" for key, value in self.options.items())
        return f"the driver {self.driver}" + (f" with {options}" if options else "")


class Talk(NamedTuple):
    """How a rotation speaks with the user: a line, a yes/no question (no, without a terminal), what a remote says."""

    told: Callable[[str], None]
    ask: Callable[[str], bool]
    remote: Callable[[str], object] | None = None


def rotate(store: Store, name: str, chosen: Choice, new: Callable[[], bytes], talk: Talk) -> None:
    """Rotate the value of an entry; `new` makes a password.

    Raises NotFound, Finding (somebody is at it), UsageError, DriverFailed, Busy (the remote, or outside, cannot be
    reached), and as every write. The hint says how it goes on.
    """
    run = _Run(store, check(name), talk)
    run.begin(chosen, lambda driver, rotation: _created(driver, rotation, new))


def roll_back(store: Store, name: str, chosen: Choice, talk: Talk) -> None:
    """Make the value before the last one the entry's again, by the same steps. Raises as `rotate`."""
    run = _Run(store, check(name), talk)
    run.begin(chosen, lambda _driver, _rotation: Secret(previous(store, run.name)))


def resume(store: Store, name: str, talk: Talk, chosen: Choice | None = None, *, as_begun: bool = False) -> None:
    """Go on with a rotation that is under way, whoever has begun it. Raises as `rotate`.

    `chosen` is what the user or the policy says of driver and options; `as_begun` takes those that it was begun with.
    """
    _Run(store, check(name), talk).end(Wish.RESUME, chosen, as_begun=as_begun)


def abort(store: Store, name: str, talk: Talk, chosen: Choice | None = None, *, as_begun: bool = False) -> None:
    """Give up a rotation that is under way: the old value works again, the new one is void. Raises as `resume`."""
    _Run(store, check(name), talk).end(Wish.ABORT, chosen, as_begun=as_begun)


def drop(store: Store, name: str, talk: Talk) -> None:
    """Forget a rotation that is under way, without a look at what is outside. Raises Finding where there is none."""
    run = _Run(store, check(name), talk)
    if not kept.is_under_way(store, run.name):
        raise _nothing(run.name)
    run.take_away(None)


def previous(store: Store, name: str) -> bytes:
    """Return the plaintext before the last change of the value, not of notes or other fields that are no secret.

    Raises NotFound where there is none, GitFailed for a store without history, CannotDecrypt.
    """
    from clave.openpgp.message import decrypt
    from clave.store.past import past, short

    with past(store, name) as then:
        newest: bytes | None = None
        for version in then.versions(name):
            if version.blob is None:
                continue
            text = decrypt(then.content(version), name=f"{name} in {short(version.commit)}", options=store.options)
            if newest is None:
                newest = text
            elif compare(text, newest) != "meta":
                return text
    raise NotFound(f"{name} has had one value alone", f"See what is known of it: clave log {name}.")


class _Ended(Exception):
    """The rotation that was to be promoted is not there any more."""


class _Run:
    """One rotation of one entry, as far as this process is concerned with it."""

    def __init__(self, store: Store, name: str, talk: Talk) -> None:
        self.store = store
        self.name = name
        self.talk = talk

    # From the beginning

    def begin(self, chosen: Choice, made: Callable[[Driver, Rotation], Secret]) -> None:
        """Do all steps."""
        driver = drivers.driver(chosen.driver)
        if not layout.is_entry(self.store.root, self.name):
            raise NotFound(f"{self.name} is not in the password store")
        todo = steps(Wish.ROTATE, Found(kept.is_under_way(self.store, self.name)))
        if isinstance(todo, Refusal):
            raise self._under_way()
        identity = pending.new_id()
        try:
            current, found = self._share(lambda: self._create(driver, chosen, made, identity), keep=False)
        except Unreachable as failure:
            failure.hint = f"Nothing was touched, here or outside. Try again later: clave rotate {self.name}."
            raise
        self._go_on(driver, current, found, todo[1:])

    def _create(
        self, driver: Driver, chosen: Choice, made: Callable[[Driver, Rotation], Secret], identity: str
    ) -> tuple[bytes, Pending]:
        """Commit the new value as pending; it is encrypted, and nothing else is touched."""
        if kept.is_under_way(self.store, self.name):  # somebody was faster
            raise self._under_way()
        current = self._current()
        new = made(driver, self._rotation(identity, chosen.options, current, None)).plaintext
        if new == current:
            raise UsageError(f"the new value of {self.name} is the old one", "Give another: clave rotate --help.")
        with begin(self.store, os.path.dirname(self.name)) as change:
            ciphertext = change.content(self.name + SUFFIX)
            if isinstance(ciphertext, Link):
                raise StoreDamaged(f"{self.name} is a symlink", "Rotate the entry that it points to.")
            if kept.is_under_way(self.store, self.name):
                raise self._under_way()
            if ciphertext is None or change.read(self.name) != current:
                raise Finding(f"{self.name} was changed meanwhile", "Nothing was rotated. Try again.")
            found = Pending(
                id=identity,
                entry=self.name,
                blob=_blob(ciphertext),
                current=pending.digest(current),
                driver=chosen.driver,
                options=chosen.options,
                plaintext=new,
            )
            change.write_pending(self.name, pending.dump(found))
            _remember(found)
            change.commit(f"Begin to rotate {self.name}.", "rotate")
        return current, found

    # From the middle

    def end(self, wish: Wish, chosen: Choice | None, *, as_begun: bool) -> None:
        """Do what is left: to the end, or back."""
        found = kept.read(self.store, self.name)
        if found is not None:
            current = self._current()
        else:
            finished = self._finished() if wish is Wish.RESUME else None
            if finished is None:
                raise _nothing(self.name)
            current, found = finished
        is_pending = kept.is_under_way(self.store, self.name)
        unchanged = pending.digest(current) == found.current
        todo = steps(wish, Found(is_pending, unchanged, finished=not is_pending))
        if isinstance(todo, Refusal):
            raise self._changed()
        self._require_agreed(found, chosen, as_begun=as_begun)
        if is_pending and not kept.is_for_its_readers(self.store, self.name):
            self.talk.told(f"The new value is not encrypted to those who read {self.name} now: clave rekey {self.name}")
        self._go_on(drivers.driver(found.driver), current, found, todo, promoted=not is_pending)

    def _finished(self) -> tuple[bytes, Pending] | None:
        """Return the rotation that has made the entry's value, and the value before; None where that was another way.

        It may not be finished outside.
        """
        from clave.model.change import parse
        from clave.openpgp.message import decrypt
        from clave.vcs import graph, reading

        repository = self.store.repository()
        if repository is None or repository.head() is None:
            return None
        self.store.require_verified(self.name)
        entry, gone = (
            repository.relative(os.path.join(self.store.root, path))
            for path in (self.name + SUFFIX, pending_path(self.name))
        )
        last = repository.run("rev-list", "--max-count=1", "--no-merges", "HEAD", "--", entry).out.decode().strip()
        if not last:
            return None
        told = graph.commit(repository, last)
        if parse(told.message).operation != "rotate" or not told.parents:
            return None
        before = {row.path: row.blob for row in reading.files(repository, told.parents[0], (entry, gone))}
        if entry not in before or gone not in before:
            return None
        blobs = dict(reading.objects(repository, before.values(), "blob"))
        found = kept.opened(self.store, self.name, blobs[before[gone]])
        old = decrypt(blobs[before[entry]], name=f"{self.name} before it was rotated", options=self.store.options)
        is_it = pending.digest(old) == found.current and found.plaintext == self._current()
        return (old, found) if is_it else None

    def _require_agreed(self, found: Pending, chosen: Choice | None, *, as_begun: bool) -> None:
        """See that driver and options are the policy's, the user's own, or such as the user has agreed to."""
        begun = Choice(found.driver, found.options)
        if chosen is not None and (chosen.driver, dict(chosen.options)) == (begun.driver, dict(begun.options)):
            return
        if as_begun or _is_own(found) or begun == Choice(MANUAL):
            return
        each = kept.about(self.store, self.name)
        who = each.who or "Somebody"
        if not self.talk.ask(f"{who} has begun it, with {begun.line()}. Go on with that?"):
            raise UsageError(
                f"the rotation of {self.name} was begun{kept.by(each)} with {begun.line()}, and no policy says that",
                "Look at it; to go on with that: --as-begun.",
            )

    # The steps

    def _go_on(
        self, driver: Driver, current: bytes, found: Pending, todo: tuple[Step, ...], *, promoted: bool = False
    ) -> None:
        rotation = self._rotation(found.id, found.options, current, found.plaintext)
        waiting = list(todo)
        while waiting:
            step = waiting.pop(0)
            with self._explained(step, promoted=promoted):
                if step is Step.TRY:
                    works = _works(driver, rotation)
                    waiting = [*after_try(works=works, promoted=promoted)]
                elif step is Step.PROMOTE:
                    self._promote(driver, rotation, found)
                    promoted = True
                elif step is Step.DROP:
                    self.take_away(found)
                else:
                    if step is Step.FINISH:
                        self._require_shared()
                    drivers.called(driver, step.value, rotation)
        _forget(found)

    def _promote(self, driver: Driver, rotation: Rotation, found: Pending) -> None:
        def work() -> None:
            with begin(self.store, os.path.dirname(self.name)) as change:
                now = kept.read_in(change, self.store, self.name)
                if now is None or now.id != found.id:
                    raise _Ended
                if pending.digest(change.read(self.name)) != found.current:
                    raise self._changed()
                change.write(self.name, found.plaintext)
                change.remove(pending_path(self.name))
                change.commit(f"Rotate {self.name}.", "rotate")

        try:
            self._share(work, keep=True)
        except _Ended:
            if self._current() != found.plaintext:  # else somebody else has finished it
                drivers.called(driver, Step.ABORT.value, rotation._replace(current=Secret(self._current())))
                _forget(found)
                raise Finding(
                    f"the rotation of {self.name} was given up by somebody else meanwhile",
                    "The old value is in force. Begin again: clave rotate.",
                ) from None

    def take_away(self, found: Pending | None) -> None:
        """Remove the pending file (of this very rotation, if that is known), in a commit that is shared."""

        def work() -> None:
            with begin(self.store, os.path.dirname(self.name)) as change:
                if not kept.is_under_way(self.store, self.name):
                    return
                if found is not None:
                    now = kept.read_in(change, self.store, self.name)
                    if now is not None and now.id != found.id:
                        raise self._under_way()
                change.remove(pending_path(self.name))
                change.commit(f"Give up to rotate {self.name}.", "rotate")

        self._share(work, keep=True)

    @contextmanager
    def _explained(self, step: Step, *, promoted: bool) -> Iterator[None]:
        """Say of what stops a step how it goes on; what the step itself has said comes first."""
        try:
            yield
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted while {self.name} is rotated", self._next(step, promoted)) from None
        except Finding:
            raise
        except ClaveError as failure:
            end = self._next(step, promoted)
            failure.hint = f"{failure.hint} {end}" if failure.hint and step is not Step.PROMOTE else end
            raise

    def _next(self, step: Step, promoted: bool) -> str:
        if step in (Step.ABORT, Step.DROP):
            return f"Both values are kept. Try again: clave rotate --abort {self.name}."
        in_force = promoted or (step is Step.PROMOTE and not kept.is_under_way(self.store, self.name))
        if in_force:
            return f"The new value works and is in force here. Finish: clave rotate --resume {self.name}."
        return (
            f"{self.name} is as it was, and both values are kept. "
            f"Go on: clave rotate --resume {self.name}; or give up: clave rotate --abort {self.name}."
        )

    # What they are made of

    def _current(self) -> bytes:
        self.store.require_verified(self.name)
        return read(self.store.root, self.name, options=self.store.options)

    def _rotation(self, identity: str, options: Mapping[str, Any], current: bytes, new: bytes | None) -> Rotation:
        return Rotation(
            id=identity,
            name=self.name,
            current=Secret(current),
            pending=None if new is None else Secret(new),
            options=options,
            secret=self._secret,
            told=self.talk.told,
            ask=self.talk.ask,
        )

    def _secret(self, name: str) -> Secret:
        name = check(name)
        self.store.require_verified(name)
        return Secret(read(self.store.root, name, options=self.store.options))

    def _share(self, work: Callable[[], T], *, keep: bool) -> T:
        from clave.store.share.sharing import is_shared, share

        if not is_shared(self.store):
            return work()
        return share(self.store, work, told=self.talk.remote, keep=keep)

    def _require_shared(self) -> None:
        """See that others have the new value before the old one may go."""
        from clave.store.share.sharing import is_shared, to_share
        from clave.store.share.syncing import sync

        if is_shared(self.store) and to_share(self.store):
            sync(self.store, told=self.talk.remote)

    def _under_way(self) -> Finding:
        return Finding(
            f"{self.name} is being rotated{kept.by(kept.about(self.store, self.name))}",
            f"Go on with that: clave rotate --resume {self.name}; or end it: clave rotate --abort {self.name}.",
        )

    def _changed(self) -> Finding:
        return Finding(
            f"{self.name} was changed since its rotation was begun, and both values are kept",
            f"Compare them (clave show {self.name}; clave show --pending {self.name}), then make what is outside fit "
            f"the entry: clave rotate --abort {self.name}.",
        )


def _created(driver: Driver, rotation: Rotation, new: Callable[[], bytes]) -> Secret:
    made = drivers.called(driver, Step.CREATE.value, rotation, new)
    if not isinstance(made, Secret):
        raise DriverFailed(f"the driver of {rotation.name} made no secret", "Tell its author.")
    return made


def _works(driver: Driver, rotation: Rotation) -> bool:
    try:
        drivers.called(driver, Step.TEST.value, rotation)
    except DriverFailed:
        return False
    return True


def _nothing(name: str) -> Finding:
    return Finding(f"no rotation of {name} is under way", "See which are: clave rotate --list.")


def _blob(ciphertext: bytes) -> str:
    from clave.vcs.objects import object_id

    return object_id(b"blob", ciphertext, "sha1")


# Which rotations this user has begun on this machine: what goes on with them by itself, without a question.


def _memory(found: Pending) -> str:
    return places.state_file(os.environ, os.path.join("rotations", found.mark))


def _remember(found: Pending) -> None:
    with suppress(OSError):
        path = _memory(found)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _is_own(found: Pending) -> bool:
    return os.path.exists(_memory(found))


def _forget(found: Pending) -> None:
    with suppress(OSError):
        os.unlink(_memory(found))
