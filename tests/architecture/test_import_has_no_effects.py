"""Nothing happens at import: a module holds definitions, constants and imports, and no state.

An import gives names and does nothing else; what has effects stands in a function, what changes has
an owner that `bootstrap` made. The check reads the code; what it does not know to be harmless, it refuses.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.support.house import Module, listed, modules, parse

if TYPE_CHECKING:
    from collections.abc import Iterator


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


HARMLESS_CALLS = words(
    """
    auto bytes chr dict enumerate field float frozenset int len max min ord range sorted str sum tuple zip
    MappingProxyType NewType ParamSpec Path PurePath PurePosixPath TypeVar timedelta
    json.JSONDecoder json.JSONEncoder msgspec.Meta re.compile re.escape str.maketrans struct.Struct
    dataclass dataclass_transform lru_cache wraps
    key keys_of
    """
)
"""`key` and `keys_of` declare settings, as `field` and `fields` do."""
HARMLESS_METHODS = words("encode format items join keys lower split strip upper values")
MUTATORS = words("add append clear discard extend insert pop popitem remove reverse setdefault sort update")
FROZEN_BASES = words("Enum IntEnum StrEnum Flag IntFlag NamedTuple")


def effects(module: Module, frozen: frozenset[str]) -> list[str]:
    """What happens, or can change, by importing this module; instances of `frozen` classes are constants."""
    checker = _Checker(module, frozen)
    checker.body(module.tree.body)
    return [*checker.found, *changes(module)]


def changes(module: Module) -> list[str]:
    """Where code changes a constant, which makes it state."""
    found = []
    for node in ast.walk(module.tree):
        match node:
            case ast.Global(names=names):
                found.append(f"{module.name}:{node.lineno} global {', '.join(names)}")
            case ast.Subscript(value=owner, ctx=ast.Store() | ast.Del()) if _is_constant(owner):
                found.append(f"{module.name}:{node.lineno} changes {ast.unparse(owner)}")
            case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in MUTATORS and _is_constant(
                owner
            ):
                found.append(f"{module.name}:{node.lineno} changes {ast.unparse(owner)}")
            case _:
                pass
    return found


def frozen_classes(module: Module) -> Iterator[str]:
    """Classes whose instances cannot change: making one is naming a constant."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef):
            # a dataclass says it in its decorator, a msgspec.Struct in its keywords
            is_frozen = any(
                "frozen=True" in ast.unparse(said) for said in (*node.decorator_list, *node.keywords)
            )
            if is_frozen or any(ast.unparse(parent).split(".")[-1] in FROZEN_BASES for parent in node.bases):
                yield node.name


class _Checker:
    """Collects what a body of statements does when it is run."""

    def __init__(self, module: Module, frozen: frozenset[str]) -> None:
        self._module = module
        self._frozen = frozen
        self.found: list[str] = []

    def body(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Expr(value=ast.Constant()):
                pass
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._values(
                    [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
                )
            case ast.ClassDef():
                self._values(
                    [*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)]
                )
                self.body(node.body)
            case ast.Assign(targets=targets, value=value):
                self._constant(targets, value)
            case ast.AnnAssign(target=target, value=value):
                self._constant([target], value)
            case ast.If() if self._decides_without_effects(node.test):
                self.body([*node.body, *node.orelse])
            case ast.If() if _is_main_guard(node.test):
                pass
            case _:
                self._find(node, "runs at import")

    def _constant(self, targets: list[ast.expr], value: ast.expr | None) -> None:
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        if len(names) < len(targets) and not all(isinstance(target, ast.Tuple) for target in targets):
            self._find(targets[0], "changes something at import")
        if value is None:
            return
        if names != ["__all__"] and _can_only_be_state(value):
            self._find(value, "is state, or should be a tuple or a frozenset")
        self._values([value])

    def _values(self, expressions: list[ast.expr]) -> None:
        for expression in expressions:
            for node in _evaluated(expression):
                if isinstance(node, ast.Call) and not self._is_harmless(node.func):
                    self._find(node, "calls what may have effects")
                elif isinstance(node, ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr):
                    self._find(node, "runs at import")

    def _is_harmless(self, called: ast.expr) -> bool:
        name = ast.unparse(called)
        short = name.split(".")[-1]
        is_method = isinstance(called, ast.Attribute) and called.attr in HARMLESS_METHODS
        return is_method or not HARMLESS_CALLS.isdisjoint({name, short}) or short in self._frozen

    def _decides_without_effects(self, test: ast.expr) -> bool:
        return ast.unparse(test).startswith(("TYPE_CHECKING", "sys.platform", "sys.version_info"))

    def _find(self, node: ast.stmt | ast.expr, what: str) -> None:
        self.found.append(f"{self._module.name}:{node.lineno} {ast.unparse(node)[:60]!r} {what}")


def _evaluated(expression: ast.expr) -> Iterator[ast.AST]:
    """The parts of an expression that are evaluated with it: not the bodies of its lambdas."""
    yield expression
    if not isinstance(expression, ast.Lambda):
        for child in ast.iter_child_nodes(expression):
            yield from _evaluated(child)  # type: ignore[arg-type]  # comprehensions and keywords walk alike


def _can_only_be_state(value: ast.expr) -> bool:
    """A table is written as a dict; an empty one waits to be filled, and lists and sets have frozen kin."""
    is_empty_dict = isinstance(value, ast.Dict) and not value.keys
    return is_empty_dict or isinstance(value, ast.List | ast.Set | ast.ListComp | ast.SetComp)


def _is_constant(owner: ast.expr) -> bool:
    return isinstance(owner, ast.Name | ast.Attribute) and ast.unparse(owner).split(".")[-1].isupper()


def _is_main_guard(test: ast.expr) -> bool:
    return ast.unparse(test) == "__name__ == '__main__'"


@pytest.fixture(scope="module")
def frozen() -> frozenset[str]:
    return frozenset(name for module in modules() for name in frozen_classes(module))


def test_importing_the_package_has_no_effects(frozen: frozenset[str]) -> None:
    found = [effect for module in modules() for effect in effects(module, frozen)]
    assert [] == found, listed(found)


@pytest.mark.parametrize(
    "source",
    [
        "print('hello')",
        "connection = connect()",
        "STATE = {}",
        "SEEN: set[str] = set()",
        "TABLE = {'a': 1}\ndef f(): TABLE['b'] = 2",
        "TABLE = {'a': 1}\ndef f(): module.TABLE.update(b=2)",
        "def f():\n    del TABLE['b']",
        "NAMES = ['a']",
        "import logging\nlogging.basicConfig()",
        "import os\nos.environ['A'] = 'b'",
        "for name in NAMES: ...",
        "try:\n    import uvloop\nexcept ImportError:\n    uvloop = None",
        "class C:\n    lock = Lock()",
        "class C:\n    seen = []",
        "def f(now=time.time()): ...",
        "@register('f')\ndef f(): ...",
        "def f():\n    global STATE\n    STATE = 1",
        "with open('x') as file: ...",
        "assert TABLE",
        "PATHS = [p for p in walk()]",
    ],
)
def test_an_effect_at_import_is_found(source: str) -> None:
    assert effects(parse(source), frozenset())


@pytest.mark.parametrize(
    "source",
    [
        "'''Docstring.'''\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import asyncio",
        "A, B = 160, 153",
        "NAMES = ('a', 'b')\n'''What they are.'''",
        "WORDS = frozenset({'a'}) | frozenset('b'.split())",
        "TABLE: Mapping[str, int] = {'a': 1}",
        "TABLE = {'a': 1}\ndef f(key): return TABLE.get(key)",
        "TABLE = MappingProxyType({'a': 1})",
        "WORD = re.compile('a' + 'b')",
        "REFUSAL = Refusal(code=1)",
        "LATER = lambda: connect()",
        "@dataclass(frozen=True)\nclass C:\n    a: int = field(default=1)\n    b: str",
        "class C(StrEnum):\n    A = 'a'\n    @property\n    def x(self): return connect()",
        "if sys.platform == 'linux':\n    import fcntl",
        "T = TypeVar('T', bound=str)",
        "__all__ = ['a']",
        "if __name__ == '__main__':\n    main()",
    ],
)
def test_constants_and_definitions_are_no_effects(source: str) -> None:
    assert [] == effects(parse(source), frozenset({"Refusal"}))


def test_classes_that_cannot_change_are_known() -> None:
    source = "@dataclass(frozen=True)\nclass A: ...\n@dataclass\nclass B: ...\nclass C(enum.Enum): ...\n"
    assert ["A", "C"] == list(frozen_classes(parse(source)))
