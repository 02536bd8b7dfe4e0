"""The mutants of the modules that decide about money and permissions, and the name of each."""

from __future__ import annotations

import ast
import difflib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.work_item import MutationSpec, WorkItem

from .operators import NAMES, operator

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "partway"

# The domain and the packages below it; of the doors, only permissions.
MUTATED = (
    "accounts/**/*.py",
    "billing/**/*.py",
    "config/checks.py",
    "config/l*.py",
    "config/se[cs]*.py",
    "delivery/mail/*.py",
    "gateways/**/*.py",
    "lib/**/*.py",
    "pay/**/*.py",
    "staff/access.py",
    "staff/invoices/filters.py",
    "staff/invoices/voiding.py",
    "staff/list_filters.py",
    "staff/mail_frame.py",
    "staff/overview/inbox.py",
    "staff/payments/disputes.py",
    "staff/payments/filters.py",
    "staff/payments/pages.py",
    "staff/payments/refunds.py",
    "staff/payments/sources.py",
    "staff/payouts/filters.py",
    "staff/payouts/index.py",
    "staff/keyset_pages.py",
    "staff/settings/connection.py",
    "staff/settings/members.py",
    "staff/signin/**/*.py",
)
# Migrations have already run; constraints and choices are tested by dropping the constraint.
NOT_MUTATED = ("*/migrations/*",)
# The class body of a model is data that the migrations repeat, so only its functions are mutated.
DATA = ("*/models.py", "*/models/*")

# Removing one of these changes only the form of a class or function.
FORMAL_DECORATORS = (
    "dataclass",
    "property",
    "cached_property",
    "cache",
    "staticmethod",
    "classmethod",
    "override",
)

Statement = ast.stmt | ast.ExceptHandler


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a mutant, which stays the same as long as its function does not change."""

    function: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.function}\n    - {self.before}\n    + {self.after}".replace("\n+", "\n    +")


class Module:
    """One file of the source, and what lies where in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        self.source = path.read_text()
        self.digest = hashlib.sha256(self.source.encode()).hexdigest()

    @property
    def is_data(self) -> bool:
        """Returns True if only the functions in it are mutated."""
        return any(self.path.match(pattern) for pattern in DATA)

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    def around(self, line: int) -> list[ast.AST]:
        """Returns the definitions and statements that contain the line, the outermost first."""
        found: list[ast.AST] = []
        level: list[ast.AST] = [self.tree]
        while level:
            node = level.pop()
            for child in ast.iter_child_nodes(node):
                if isinstance(child, Statement) and _first_line(child) <= line <= (child.end_lineno or 0):
                    found.append(child)
                    level = [child]
        return found

    def function(self, line: int) -> str:
        """Returns the qualified name of the function or class around this line; the module's name outside of them."""
        definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        names = [node.name for node in self.around(line) if isinstance(node, definitions)]
        return ".".join([self.name, *names])

    def statement_lines(self, line: int) -> range:
        """Returns the lines of the innermost statement around this one; of a block only its head."""
        around = self.around(line)
        if not around:
            return range(line, line + 1)
        innermost = around[-1]
        if isinstance(innermost, ast.FunctionDef | ast.ClassDef):
            return range(innermost.body[0].lineno, (innermost.end_lineno or 0) + 1)
        body = getattr(innermost, "body", None)
        end = body[0].lineno if isinstance(body, list) else (innermost.end_lineno or 0) + 1
        return range(innermost.lineno, max(end, innermost.lineno + 1))

    def assigned_name(self, line: int) -> str:
        """Returns the constant that the module-level statement at this line assigns; empty if none."""
        for node in self.around(line):
            if isinstance(node, ast.Assign | ast.AnnAssign):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                return target.id if isinstance(target, ast.Name) else ""
        return ""

    @cached_property
    def formal_spans(self) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        """Returns the places of signatures, types, formal decorators and messages, which are not mutated."""
        spans = []
        for node in ast.walk(self.tree):
            for decorator in getattr(node, "decorator_list", ()):
                if ast.unparse(decorator).partition("(")[0] in FORMAL_DECORATORS:
                    spans.append(((decorator.lineno, 0), (decorator.lineno + 1, 0)))
            if isinstance(node, ast.FunctionDef) and node.name in ("__str__", "__repr__"):
                spans.append(((node.lineno, 0), ((node.end_lineno or 0) + 1, 0)))
            elif isinstance(node, ast.FunctionDef):
                spans.append(((node.lineno, 0), (node.body[0].lineno, 0)))
            if isinstance(node, ast.Assign) and node in self.tree.body and _is_type_alias(node):
                spans.append(((node.lineno, 0), ((node.end_lineno or 0) + 1, 0)))
            text = node.annotation if isinstance(node, ast.AnnAssign) else node
            if isinstance(node, ast.AnnAssign | ast.JoinedStr):
                end = text.end_lineno or 0, text.end_col_offset or 0
                spans.append(((text.lineno, text.col_offset), end))
        return spans

    def work_items(self) -> Iterator[WorkItem]:
        """Returns every mutant of this file; its id is stable as long as the file does not change."""
        tree = get_ast(self.source)
        nodes = list(ast_nodes(tree))
        for name in NAMES:
            found = (span for node in nodes for span in operator(name).mutation_positions(node))
            for occurrence, (start, end) in enumerate(found):
                if not any(first <= start < last for first, last in self.formal_spans):
                    job = hashlib.sha256(f"{self.digest} {name} {occurrence}".encode()).hexdigest()[:32]
                    spec = MutationSpec(
                        self.path, name, occurrence, start, end, definition_name=self.function(start[0])
                    )
                    yield WorkItem.single(job, spec)

    def mutated(self, spec: MutationSpec) -> str:
        """Returns the source of this file with one mutation."""
        code = mutate_code(self.source, operator(spec.operator_name), spec.occurrence)
        assert code is not None, spec
        return str(code)


def _is_type_alias(node: ast.Assign) -> bool:
    name = node.targets[0].id if isinstance(node.targets[0], ast.Name) else ""
    return name[:1].isupper() and not name.isupper()


def _first_line(node: ast.AST) -> int:
    return min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])


def modules(wanted: tuple[str, ...] = ()) -> list[Module]:
    """Returns the mutated modules, or those whose name contains one of the given words."""
    paths = sorted({path for pattern in MUTATED for path in SOURCE.glob(pattern)})
    found = [Module(path) for path in paths if not any(path.match(pattern) for pattern in NOT_MUTATED)]
    return [module for module in found if not wanted or any(word in module.name for word in wanted)]


@cache
def module_of(path: Path) -> Module:
    """Returns the module in this file."""
    return Module(path)


def name_of(module: Module, spec: MutationSpec, mutated: str) -> Name:
    """Returns the name of a mutant: its function, and the lines that differ, without their indentation."""
    lines = list(difflib.ndiff(module.source.splitlines(), mutated.splitlines()))
    before, after = (
        "\n".join(line[2:].strip() for line in lines if line.startswith(sign)).strip()
        for sign in ("- ", "+ ")
    )
    return Name(module.function(spec.start_pos[0]), before, after)
