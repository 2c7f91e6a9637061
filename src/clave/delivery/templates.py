r"""Rendering a file with secrets in it: Jinja2, with `{{ secret("path#field") }}`.

A template comes with a clone, from other people. So it can do nothing but make a text:

1. Secrets are all that it sees, and a function to count with (`range`). No variables, no files: `include`, `import`
   and `extends` are refused. Jinja2's sandbox keeps it from the insides of Python; of filters there are those of
   FILTERS, and no method of anything may be called.
2. It runs in a copy of this process that has a few seconds and some memory: a loop without end, a page that grows
   without bound, is an error.
3. What it asks for is known before anything is written: it is rendered without secrets first, and what it then asks
   for is allowed and looked up, all at once; again, where a secret decides whether another is asked for. The name of a
   secret is never made of one.
4. A name that is not defined is an error, never an empty text. An error says the line, and nothing that came out of a
   secret.

A value goes through byte for byte, whether it is UTF-8 or not; `b64` and `sha256` are of these bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_from_bytes

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment

from clave import process
from clave.delivery import reading, references, resolving
from clave.delivery.formats import sh, yaml
from clave.errors import ClaveError, UsageError
from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from clave.delivery.references import Reference
    from clave.delivery.resolving import Found

MAX_TEMPLATE = 1 << 20  # bytes
MAX_SECRETS = 1000
_MAX_OUTPUT = 16 << 20
_SECONDS = 5
_MEMORY = 512 << 20
_ROUNDS = 10  # how often a secret may decide whether another is asked for


def read(path: str) -> str:
    """Return the text of a template. Raises NotFound, UsageError for what can be none."""
    data = reading.read(path, MAX_TEMPLATE, "template")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}, line {line}: it is not UTF-8", "A template is a text file.") from None


def render(path: str, text: str, look_up: Callable[[frozenset[Reference]], Found]) -> bytes:
    """Return what a template makes; `look_up` gives what it asks for, or why that cannot be had.

    Raises UsageError with the line where the template is wrong, and why all that it needs cannot be had.
    """
    values: dict[Reference, bytes | ClaveError] = {}
    for _ in range(_ROUNDS):
        answer = process.limited(lambda: _render(text, values), seconds=_SECONDS, memory=_MEMORY, limit=_MAX_OUTPUT)
        if answer is None:
            raise UsageError(
                f"{path} makes no end: more than {_SECONDS} seconds, or {_MAX_OUTPUT >> 20} MiB", "Look at its loops."
            )
        kind, rest = answer[:1], answer[1:]
        if kind == _DONE:
            return rest
        asked = frozenset(map(references.parse, json.loads(rest))) if kind in (_ASKS, _LACKS) else frozenset()
        if kind == _LACKS:
            resolving.require({each: values[each] for each in asked})
        if kind == _WRONG:
            line, message, hint = json.loads(rest)
            raise UsageError(f"{path}, line {line}: {message}" if line else f"{path}: {message}", hint)
        values.update(look_up(asked))
    raise UsageError(f"{path}: secrets decide on secrets more than {_ROUNDS} times over", "Ask for them before.")


# The first byte of what the copy of the process answers: the text; what is wrong; secrets that it does not know yet;
# those that it needs and that cannot be had. All but the text in JSON.
_DONE, _WRONG, _ASKS, _LACKS = b"=", b"!", b"?", b"-"


class _Wrong(Exception):
    """Something in the template is wrong; the message holds nothing of a secret. Its second argument is a hint."""


_DERIVED = _Wrong("the name of a secret cannot be made of another", "Write it in the template.")


def _render(text: str, values: Found) -> bytes:
    """Return the answer of one round."""
    asked: dict[str, None] = {}
    lacking: dict[str, None] = {}

    def secret(reference: object) -> str:
        if not isinstance(reference, str):
            raise _Wrong("secret() takes a text, such as 'folder/entry#field'")
        derived = bool(values) and reference not in text  # perhaps from a secret: not even a message may show it
        try:
            found = references.parse(reference)
        except ClaveError as error:
            raise _DERIVED if derived else _Wrong(error.message, error.hint) from None
        if derived and found not in values:
            raise _DERIVED
        value = values.get(found)
        if isinstance(value, bytes):
            return value.decode("utf-8", "surrogateescape")
        (asked if value is None else lacking)[found.uri] = None
        if len(asked) > MAX_SECRETS:
            raise _Wrong(f"it asks for more than {MAX_SECRETS} secrets")
        return ""

    environment = _Environment(secret, text)
    problem: Exception | None = None
    output = ""
    try:
        tree = environment.parse(text)
        _check(tree)
        output = environment.from_string(tree).render()
    except Exception as error:  # noqa: BLE001 - whatever it is, the template made it; it is told below
        problem = error
    if asked and len(asked) <= MAX_SECRETS:  # what went wrong may be for want of these
        return _ASKS + json.dumps([*asked]).encode()
    if lacking:
        return _LACKS + json.dumps([*lacking]).encode()
    if problem is not None:
        return _WRONG + json.dumps([_line(problem), *_said(problem, text)]).encode()
    return _DONE + output.encode("utf-8", "surrogateescape")


class _Environment(ImmutableSandboxedEnvironment):
    """What a template can use."""

    def __init__(self, secret: Callable[[object], str], text: str) -> None:
        super().__init__(
            undefined=StrictUndefined,
            keep_trailing_newline=True,
            newline_sequence="\r\n" if "\r\n" in text else "\n",
            autoescape=False,
        )
        self.globals = {"secret": secret, "range": self.globals["range"]}  # the sandbox's own, which has an end
        self.filters = {**{name: self.filters[name] for name in _JINJA}, **FILTERS}
        self.tests = {name: self.tests[name] for name in _TESTS}

    def is_safe_callable(self, obj: Any) -> bool:
        """Tell whether a template may call this: our functions, its own macros, and what a loop offers."""
        return (
            any(obj is each for each in self.globals.values())
            or isinstance(obj, Macro)
            or isinstance(getattr(obj, "__self__", None), LoopContext)
        )


# Those of Jinja2's filters and tests that only look at texts, numbers and lists.
_JINJA = ("default", "first", "int", "join", "last", "length", "list", "lower", "replace", "string", "trim", "upper")
_COMPARING = ("eq", "ne", "lt", "le", "gt", "ge", "==", "!=", "<", "<=", ">", ">=", "in")
_TESTS = ("defined", "undefined", "none", "string", "number", "true", "false", "odd", "even", *_COMPARING)


def _check(tree: nodes.Template) -> None:
    for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        raise TemplateSyntaxError("a template cannot read other files", node.lineno)


def _line(problem: BaseException) -> int:
    """Return the line of the template that something went wrong in; 0: nobody knows."""
    if isinstance(problem, TemplateSyntaxError):
        return problem.lineno
    line = 0
    at = problem.__traceback__
    while at is not None:
        if at.tb_frame.f_code.co_filename == "<template>":
            line = at.tb_lineno
        at = at.tb_next
    return line


def _said(problem: Exception, text: str) -> tuple[str, str | None]:
    """Return what is wrong and the next step; words that do not stand in the template could be a secret's."""
    message, hint = str(problem.args[0]) if problem.args else "", "Correct the template and try again."
    match problem:
        case _Wrong():
            return message, problem.args[1] if len(problem.args) > 1 else hint
        case TemplateSyntaxError():
            return printable(message[:1].lower() + message[1:]).removesuffix("."), hint
        case UndefinedError() if all(each in text for each in re.findall(r"'([^']*)'", message)):
            return printable(message), hint
        case SecurityError():
            return "a template may not use that", hint
        case RecursionError():
            return "it is nested too deeply", hint
        case UndefinedError():
            return "something in it is not defined", hint
        case MemoryError() | OverflowError():
            return "it needs too much memory", hint
    return f"this cannot be done ({type(problem).__name__})", hint


def _bytes(value: object) -> bytes:
    return str(value).encode("utf-8", "surrogateescape")


def _text(value: object, name: str) -> str:
    try:
        return _bytes(value).decode()
    except UnicodeDecodeError:
        raise _Wrong(f"the value is no text, as the filter '{name}' needs it", "Use b64.") from None


def _b64(value: object) -> str:
    return b64encode(_bytes(value)).decode()


def _b64decode(value: object) -> str:
    try:
        return b64decode("".join(str(value).split()), validate=True).decode("utf-8", "surrogateescape")
    except ValueError:
        raise _Wrong("the value is not base64") from None


def _sha256(value: object) -> str:
    return hashlib.sha256(_bytes(value)).hexdigest()


def _json(value: object) -> str:
    _text(json.dumps(value, ensure_ascii=False), "json")
    return json.dumps(value)


def _yaml(value: object) -> str:
    return yaml.quote(_text(value, "yaml")) if isinstance(value, str) else _json(value)


def _quote(value: object) -> str:
    data = _bytes(value)
    if b"\0" in data:
        raise _Wrong("the value has a NUL, which no word of a shell can hold")
    return sh.quote(data).decode("utf-8", "surrogateescape")


def _url(value: object) -> str:
    return quote_from_bytes(_bytes(value), safe="")


def _indent(value: object, width: int = 4, first: bool = False) -> str:
    """Put spaces before each line but the first; lines end at a newline and nowhere else."""
    if not 0 <= width <= 1000:
        raise _Wrong("indent takes a number of spaces up to 1000")
    spaces = " " * width
    return (spaces if first else "") + str(value).replace("\n", "\n" + spaces)


# What a value can become: base64 and back, a digest in hex, a JSON text, a YAML string, a word for sh, part of a URL.
FILTERS: dict[str, Callable[..., str]] = {
    "b64": _b64,
    "b64decode": _b64decode,
    "sha256": _sha256,
    "json": _json,
    "tojson": _json,
    "yaml": _yaml,
    "quote": _quote,
    "url": _url,
    "urlencode": _url,
    "indent": _indent,
}
