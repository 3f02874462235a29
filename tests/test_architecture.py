"""The house rules, read off the syntax trees: who may import whom, what is pure, how large a thing may be."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SIBLINGS = ("intake", "routing", "templates", "store", "delivery")
BELOW = {
    "cli": {"commands", "service", *SIBLINGS, "desk"},
    "commands": {"service", *SIBLINGS, "desk"},
    "service": {*SIBLINGS, "desk"},
    **{sibling: {"desk"} for sibling in SIBLINGS},
    "desk": set(),
}
"""Which of our packages each may import, besides itself."""

EDGES = {f"intake/{name}.py" for name in ("mailbox", "fetched", "listener", "idle", "login", "trouble", "worker")}
EDGES.add("intake/shelf.py")
PURE_PACKAGES = ("desk", "routing", "templates", "intake")
PURE_FILES = {f"delivery/{name}.py" for name in ("alias", "compose", "header", "retry")}
READS_PACKAGED_FILES = ("routing", "templates")

CONCURRENT = {"threading", "_thread", "asyncio", "multiprocessing", "subprocess", "concurrent"}
MAY_BE_CONCURRENT = {
    **{f"service/{name}.py": CONCURRENT for name in ("daemon", "writer", "parse_child", "secrets", "bootstrap")},
    "service/bell.py": {"threading"},
    "service/demo/daemon.py": {"subprocess"},
    "service/doctor.py": {"threading"},
    "service/door.py": {"asyncio", "concurrent"},
    "service/logs.py": {"threading"},
    "service/pulse.py": {"threading"},
    "service/oauth_tokens.py": {"threading"},
    "service/transactions.py": {"concurrent"},
    "intake/listener.py": {"asyncio"},
}
IMPURE = CONCURRENT | {
    *("time", "random", "secrets", "uuid", "os", "sys", "signal", "locale", "logging", "queue"),
    *("shutil", "tempfile", "glob", "fcntl", "mmap"),
    *("socket", "select", "selectors", "ssl", "socketserver", "http", "urllib.request", "ftplib"),
    *("smtplib", "imaplib", "poplib", "mailbox", "imapclient", "aiosmtpd"),
    *("sqlite3", "dbm", "sqlalchemy", "sqlmodel", "alembic"),
}
READING = {"pathlib", "importlib"}
IMPURE_CALLS = {"open", "print", "input", "make_msgid", "localtime", "getLogger"}
CLOCKS = {"now", "utcnow", "today"}

BROAD = {"Exception", "BaseException"}
MAY_CATCH_ALL = {
    *(f"service/{name}.py" for name in ("daemon", "doctor", "pipeline", "writer", "transactions", "parse_child")),
    "service/deliver.py",  # an MTA must read 75 whatever happens
    "intake/listener.py",
}
LATE_IN_CLI = {"store", "sqlmodel", "sqlalchemy", "alembic"}

FUNCTION_LINES, FILE_LINES, NESTING = 60, 400, 3
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Source:
    """One file of ours: its path inside the checkout, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def package(self) -> str:
        return self.path.split("/", maxsplit=1)[0].removesuffix(".py")

    @property
    def is_pure(self) -> bool:
        return self.path in PURE_FILES or (self.package in PURE_PACKAGES and self.path not in EDGES)


def at(source: Source, node: ast.AST, words: str) -> str:
    return f"{source.path}:{getattr(node, 'lineno', 1)}: {words}"


def imports(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Every imported module by its full name; of "from a import b" both a and a.b."""
    for node in ast.walk(tree):
        yield from imported_by(node)


def imported_by(node: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    if isinstance(node, ast.Import):
        yield from ((node, alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        yield node, module
        yield from ((node, f"{module}.{alias.name}") for alias in node.names)


def listed(name: str, modules: set[str]) -> bool:
    """Whether a dotted name is one of the modules or lies in one."""
    parts = name.split(".")
    return any(".".join(parts[: length + 1]) in modules for length in range(len(parts)))


def calls_of(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, last_name(node.func)


def last_name(node: ast.AST | None) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def forbidden_imports(source: Source) -> Iterator[str]:
    """Imports of ours that point up or sideways, and relative ones."""
    for node, name in imports(source.tree):
        target = name.split(".")[0]
        if isinstance(node, ast.ImportFrom) and node.level:
            yield at(source, node, "relative import")
        elif target in BELOW and target != source.package and target not in BELOW[source.package]:
            yield at(source, node, f"{source.package} imports {name}")


def impurities(source: Source) -> Iterator[str]:
    """Clock, randomness, I/O and ambient state in a file that must be pure."""
    if source.is_pure:
        yield from impure_imports(source)
        for node in ast.walk(source.tree):
            if words := impurity(node, reads=source.package in READS_PACKAGED_FILES):
                yield at(source, node, f"pure, but {words}")


def impure_imports(source: Source) -> Iterator[str]:
    banned = IMPURE if source.package in READS_PACKAGED_FILES else IMPURE | READING
    for node, name in imports(source.tree):
        if listed(name, banned):
            yield at(source, node, f"pure, but imports {name}")


def impurity(node: ast.AST, *, reads: bool) -> str:
    """What a node does that a pure file may not, in words; a file may be opened as a packaged one where reads."""
    if isinstance(node, ast.Global):
        return "changes a global"
    if isinstance(node, ast.Attribute) and node.attr in CLOCKS and last_name(node.value) in {"datetime", "date"}:
        return f"asks the clock: {ast.unparse(node)}"
    if isinstance(node, ast.Call) and last_name(node.func) in IMPURE_CALLS:
        packaged = reads and isinstance(node.func, ast.Attribute)
        return "" if packaged else f"calls {ast.unparse(node.func)}()"
    return ""


def stray_concurrency(source: Source) -> Iterator[str]:
    """Threads, event loops and processes outside the files that are for them."""
    for node, name in imports(source.tree):
        if listed(name, CONCURRENT - MAY_BE_CONCURRENT.get(source.path, set())):
            yield at(source, node, f"imports {name}")


def oversize(source: Source) -> Iterator[str]:
    """Files, functions and nestings beyond the budget."""
    lines = len(source.text.splitlines())
    if lines > FILE_LINES:
        yield f"{source.path}: {lines} lines, at most {FILE_LINES}"
    for node in ast.walk(source.tree):
        if isinstance(node, FUNCTIONS):
            if (length := length_of(node)) > FUNCTION_LINES:
                yield at(source, node, f"{node.name} has {length} lines, at most {FUNCTION_LINES}")
            if (depth := nesting_of(node.body)) > NESTING:
                yield at(source, node, f"{node.name} is nested {depth} deep, at most {NESTING}")


def length_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines without decorators and docstring."""
    length = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return length
    docstring = function.body[0]
    return length - ((docstring.end_lineno or 0) - docstring.lineno + 1)


def nesting_of(body: list[ast.stmt]) -> int:
    """How many blocks lie inside one another; elif and else are no deeper, an inner function counts for itself."""
    return max((1 + inner_nesting(node) for node in body if isinstance(node, BLOCKS)), default=0)


def inner_nesting(block: ast.stmt) -> int:
    bodies = [getattr(block, "body", []), getattr(block, "finalbody", [])]
    bodies += [inner.body for inner in (*getattr(block, "handlers", []), *getattr(block, "cases", []))]
    otherwise = getattr(block, "orelse", [])
    if isinstance(block, ast.If) and len(otherwise) == 1 and isinstance(otherwise[0], ast.If):
        return max(nesting_of(block.body), nesting_of(otherwise) - 1)
    return max(map(nesting_of, [*bodies, otherwise]))


def careless_excepts(source: Source) -> Iterator[str]:
    """Bare excepts, and broad ones that swallow outside the few files, or without a comment on the line or above it."""
    for node, names in caught(source.tree):
        if not names:
            yield at(source, node, "bare except")
        elif BROAD & set(names):
            if source.path not in MAY_CATCH_ALL and not raises_again(node):
                yield at(source, node, f"catches {', '.join(names)}")
            elif not any("#" in line for line in source.text.splitlines()[max(node.lineno - 2, 0) : last_line(node)]):
                yield at(source, node, "catches everything without saying where the mail is now")


def last_line(node: ast.ExceptHandler | ast.Call) -> int:
    """Where the comment may stand at the latest: behind the except, before what it does."""
    return node.body[0].lineno if isinstance(node, ast.ExceptHandler) else node.lineno


def raises_again(node: ast.AST) -> bool:
    """A handler that only cleans up: it ends with a bare raise and so swallows nothing."""
    return isinstance(node, ast.ExceptHandler) and isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None


def caught(tree: ast.AST) -> Iterator[tuple[ast.ExceptHandler | ast.Call, list[str]]]:
    """What each except and each contextlib.suppress names; nothing for a bare except."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            yield node, [name for name in map(last_name, kinds) if name]
    for call, name in calls_of(tree):
        if name == "suppress":
            yield call, [last_name(kind) for kind in call.args] or ["nothing"]


def early_imports(source: Source) -> Iterator[str]:
    """What the command line imports above function level although only some commands need it."""
    later = {id(inner) for node in ast.walk(source.tree) if runs_later(node) for inner in ast.walk(node)}
    for node, name in imports(source.tree):
        if id(node) not in later and listed(name, LATE_IN_CLI):
            yield at(source, node, f"imports {name} before a command needs it")


def runs_later(node: ast.AST) -> bool:
    """Whether importing the file does not run what is inside: a function, or what only a type checker reads."""
    return isinstance(node, FUNCTIONS) or (isinstance(node, ast.If) and last_name(node.test) == "TYPE_CHECKING")


@cache
def our_sources() -> list[Source]:
    """Every Python file of ours that is installed."""
    paths = [path for package in BELOW for path in sorted((ROOT / package).rglob("*.py"))]
    return [
        Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in [*paths, *ROOT.glob("cli.py")]
    ]


def violations(law) -> str:
    return "\n".join(line for source in our_sources() for line in law(source))


@pytest.mark.parametrize(
    "law",
    [forbidden_imports, impurities, stray_concurrency, oversize, careless_excepts],
    ids=lambda law: law.__name__,
)
def test_no_file_of_ours_breaks_the_law(law) -> None:
    found = violations(law)
    assert not found, f"{law.__doc__}\n{found}"


def test_the_command_line_imports_the_store_only_inside_commands() -> None:
    sources = [source for source in our_sources() if source.package in ("cli", "commands")]
    found = "\n".join(line for source in sources for line in early_imports(source))
    assert len(sources) > 2
    assert not found, found


def test_asking_for_help_does_not_load_the_database() -> None:
    program = f"import cli, sys; print(*sorted({LATE_IN_CLI} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.returncode) == ([], 0), done.stderr


def test_no_package_of_ours_hides_a_module_of_python_or_of_a_library() -> None:
    ours = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {path.stem for path in ROOT.glob("*.py")}
    theirs = {
        name for name, owners in packages_distributions().items() if {owner.lower() for owner in owners} != {"deskbell"}
    }
    assert ours >= {"desk", "service"}
    assert not ours & (theirs | sys.stdlib_module_names)


def test_every_package_says_what_it_is_for() -> None:
    silent = [source.path for source in our_sources() if not ast.get_docstring(source.tree)]
    assert not silent, silent


@pytest.mark.parametrize(
    ("law", "path", "text"),
    [
        (forbidden_imports, "desk/a.py", "import routing"),
        (forbidden_imports, "desk/a.py", "def f():\n    from service.clock import tick"),
        (forbidden_imports, "intake/a.py", "from routing.rules import Rule"),
        (forbidden_imports, "store/a.py", "import delivery.retry"),
        (forbidden_imports, "delivery/a.py", "from service import settings"),
        (forbidden_imports, "service/a.py", "import cli"),
        (forbidden_imports, "store/a.py", "from . import tables"),
        (impurities, "desk/a.py", "import time"),
        (impurities, "desk/a.py", "from os import environ"),
        (impurities, "desk/a.py", "from datetime import datetime\nx = datetime.now()"),
        (impurities, "routing/a.py", "import datetime\nx = datetime.datetime.utcnow"),
        (impurities, "templates/a.py", "from datetime import date\nx = date.today()"),
        (impurities, "intake/parse.py", "x = open('a')"),
        (impurities, "intake/parse.py", "import pathlib"),
        (impurities, "intake/parse.py", "from urllib import request"),
        (impurities, "delivery/compose.py", "from email.utils import make_msgid\nx = make_msgid()"),
        (impurities, "delivery/retry.py", "import random"),
        (impurities, "desk/a.py", "def f():\n    global x\n    x = 1"),
        (stray_concurrency, "store/a.py", "import threading"),
        (stray_concurrency, "service/pipeline.py", "from concurrent.futures import Future"),
        (stray_concurrency, "intake/listener.py", "import threading"),
        (stray_concurrency, "cli.py", "def f():\n    import subprocess"),
        (oversize, "desk/a.py", "\n" * 401),
        (oversize, "desk/a.py", "def f():\n" + "    x = 1\n" * 60),
        (oversize, "desk/a.py", "def f():\n if a:\n  for b in c:\n   with d:\n    while e:\n     pass"),
        (
            oversize,
            "desk/a.py",
            "def f():\n if a:\n  pass\n else:\n  try:\n   pass\n  except E:\n   for b in c:\n    if d: e",
        ),
        (careless_excepts, "service/daemon.py", "try:\n    f()\nexcept:  # here\n    pass"),
        (careless_excepts, "service/daemon.py", "try:\n    f()\nexcept Exception:\n    pass"),
        (careless_excepts, "store/a.py", "try:\n    f()\nexcept Exception:  # here\n    pass"),
        (careless_excepts, "store/a.py", "try:\n    f()\nexcept (OSError, BaseException):  # here\n    pass"),
        (careless_excepts, "store/a.py", "with suppress(Exception):\n    f()"),
        (early_imports, "cli.py", "from store.database import Database"),
        (early_imports, "cli.py", "if True:\n    import sqlmodel"),
    ],
)
def test_each_law_notices_what_breaks_it(law, path: str, text: str) -> None:
    assert list(law(Source(path, text)))


@pytest.mark.parametrize(
    ("law", "path", "text"),
    [
        (forbidden_imports, "intake/a.py", "from desk.mail import Mail\nimport intake.fields\nimport email"),
        (forbidden_imports, "service/a.py", "import store.tables, routing, desk"),
        (forbidden_imports, "cli.py", "from service.settings import load"),
        (impurities, "desk/a.py", "def f(now):\n    return now.date, clock.now()"),
        (impurities, "desk/a.py", "from datetime import datetime, time\nfrom zoneinfo import ZoneInfo"),
        (impurities, "routing/a.py", "from importlib.resources import files\nx = files('routing').open('a')"),
        (impurities, "intake/mailbox.py", "import time, socket"),
        (impurities, "delivery/transport.py", "import smtplib"),
        (stray_concurrency, "service/daemon.py", "import threading, asyncio"),
        (stray_concurrency, "intake/listener.py", "import asyncio"),
        (stray_concurrency, "service/a.py", "import contextvars"),
        (oversize, "desk/a.py", "\n" * 400),
        (oversize, "desk/a.py", 'def f():\n    """' + "a\n" * 60 + '"""\n' + "    x = 1\n" * 59),
        (
            oversize,
            "desk/a.py",
            "def f():\n if a:\n  b\n elif c:\n  b\n elif d:\n  b\n elif e:\n  for g in h:\n   if i: j",
        ),
        (oversize, "desk/a.py", "def f():\n if a:\n  def g():\n   for b in c:\n    if d:\n     if e: i"),
        (careless_excepts, "service/daemon.py", "try:\n    f()\nexcept Exception:  # kept in the ledger\n    pass"),
        (careless_excepts, "service/daemon.py", "try:\n    f()\n# kept in the ledger\nexcept Exception:\n    pass"),
        (careless_excepts, "store/a.py", "try:\n    f()\nexcept (OSError, errors.Late):\n    pass"),
        (early_imports, "cli.py", "if TYPE_CHECKING:\n    from store.database import Database"),
        (early_imports, "cli.py", "import typer\ndef run():\n    from store.database import Database"),
    ],
)
def test_no_law_minds_what_is_allowed(law, path: str, text: str) -> None:
    assert list(law(Source(path, text))) == []
