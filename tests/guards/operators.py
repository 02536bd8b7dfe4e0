"""The mutation operators: a choice of cosmic-ray's, and our own for guards in Django code."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence

import cosmic_ray.plugins
import parso
from cosmic_ray.operators.operator import Example, Operator
from parso.tree import NodeOrLeaf

# One replacement for each operator of the language, because the others fail the same tests.
FROM_COSMIC_RAY = (
    "ReplaceBinaryOperator_Add_Sub",
    "ReplaceBinaryOperator_Sub_Add",
    "ReplaceBinaryOperator_Mul_Div",
    "ReplaceBinaryOperator_Div_Mul",
    "ReplaceBinaryOperator_FloorDiv_Mul",
    "ReplaceBinaryOperator_Mod_Mul",
    "ReplaceBinaryOperator_Pow_Mul",
    "ReplaceComparisonOperator_Eq_NotEq",
    "ReplaceComparisonOperator_NotEq_Eq",
    "ReplaceComparisonOperator_Lt_LtE",
    "ReplaceComparisonOperator_LtE_Lt",
    "ReplaceComparisonOperator_Gt_GtE",
    "ReplaceComparisonOperator_GtE_Gt",
    "ReplaceComparisonOperator_Is_IsNot",
    "ReplaceComparisonOperator_IsNot_Is",
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceUnaryOperator_Delete_USub",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ExceptionReplacer",
    "NumberReplacer",
    "RemoveDecorator",
    "ZeroIterationForLoop",
)

# These calls still work without one of their arguments, and then read, change or round something else.
CALLS_WITH_CONDITIONS = ("filter", "exclude", "get", "update", "quantize")


# The result of these often equals their argument.
CONVERSIONS = (*dir(builtins), "get", "filter", "exclude", "append", "add")


def code_of(node: NodeOrLeaf) -> str:
    """Returns the source of a node, without the spaces before it."""
    return str(node.get_code(include_prefix=False))


def children_of(node: NodeOrLeaf) -> Sequence[NodeOrLeaf]:
    """Returns the node's children; none for a leaf."""
    return getattr(node, "children", ())


def without_each(nodes: Sequence[NodeOrLeaf], separator: str = ",") -> Iterator[str]:
    """Yields the source of the nodes without the first part, without the second, and so on."""
    parts: list[list[NodeOrLeaf]] = [[]]
    for node in nodes:
        if code_of(node) == separator:
            parts.append([node])  # a part begins with the separator before it
        else:
            parts[-1].append(node)
    if len(parts[-1]) == 1 and code_of(parts[-1][0]) == separator:
        parts[-2].extend(parts.pop())  # a comma at the end
    for index in range(len(parts)):
        rest = [part[1:] if index == 0 and place == 1 else part for place, part in enumerate(parts)]
        code = "".join(node.get_code() for part in rest[:index] + rest[index + 1 :] for node in part)
        yield code if "\n" in code else code.strip()


class Rewrite(Operator):  # type: ignore[misc]
    """An operator that replaces a node by other source text."""

    def rewrites(self, node: NodeOrLeaf) -> Iterator[str]:
        """Yields each text that replaces the node."""
        raise NotImplementedError

    def mutation_positions(self, node: NodeOrLeaf) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        for _ in self.rewrites(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        prefix = node.get_first_leaf().prefix
        return parso.parse(prefix + list(self.rewrites(node))[index])

    @classmethod
    def examples(cls) -> Sequence[Example]:
        return [
            Example(before, after, occurrence=index)
            for before, afters in cls.EXAMPLES.items()
            for index, after in enumerate(afters)
        ]

    EXAMPLES: dict[str, list[str]] = {}


class ReplaceCondition(Rewrite):
    """Replaces a condition by one that is never true, and by one that is always true."""

    EXAMPLES = {
        "if a: b()": ["if False: b()", "if True: b()"],
        "x = a if b else c": ["x = a if False else c", "x = a if True else c"],
        "[a for a in b if c]": ["[a for a in b if False]", "[a for a in b if True]"],
        "while a: b()": ["while False: b()"],
    }

    def rewrites(self, node: NodeOrLeaf) -> Iterator[str]:
        before = node.get_previous_sibling() if node.parent is not None else None
        keyword = code_of(before) if before is not None and before.type == "keyword" else ""
        kind = node.parent.type if node.parent is not None else ""
        if (kind in ("if_stmt", "while_stmt", "comp_if", "test", "ternary")) and keyword in (
            "if",
            "elif",
            "while",
        ):
            yield "False"
            if keyword != "while":
                yield "True"


class RemoveOperand(Rewrite):
    """Removes one operand of `and`, `or`, `|` and `&`."""

    EXAMPLES = {"x = a or b and c": ["x = b and c", "x = a", "x = a or c", "x = a or b"]}
    OPERATORS = {"and_test": "and", "or_test": "or", "expr": "|", "and_expr": "&"}

    def rewrites(self, node: NodeOrLeaf) -> Iterator[str]:
        if node.type in self.OPERATORS:
            yield from without_each(children_of(node), self.OPERATORS[node.type])


class RemoveCall(Rewrite):
    """Removes a statement that is only a call, as `check(row)`, except calls of a logger."""

    EXAMPLES = {"check(row)\nx = save()\n": ["pass\nx = save()\n"], "log.info(1)\n": []}

    def rewrites(self, node: NodeOrLeaf) -> Iterator[str]:
        is_statement = node.parent is not None and node.parent.type == "simple_stmt"
        if is_statement and _is_call(node) and not code_of(node).startswith(("log.", "super(")):
            yield "pass"


class RemoveArgument(Rewrite):
    """Removes one condition of a query, or one column of an update."""

    EXAMPLES = {"rows.filter(pk=1, status=old)": ["rows.filter(status=old)", "rows.filter(pk=1)"]}

    def rewrites(self, node: NodeOrLeaf) -> Iterator[str]:
        if _is_arguments(node):
            name = node.get_previous_sibling()
            if name is not None and code_of(name).removeprefix(".") in CALLS_WITH_CONDITIONS:
                yield from (f"({rest})" for rest in without_each(_arguments(node)))


class RemoveChainedCall(Rewrite):
    """Removes one call of a chain, so that a queryset is not narrowed, not locked or not ordered."""

    EXAMPLES = {"rows.open().filter(pk=1).get()": ["rows.filter(pk=1).get()", "rows.open().get()"]}

    def rewrites(self, node: NodeOrLeaf) -> Iterator[str]:
        parts = children_of(node)
        if node.type not in ("atom_expr", "power"):
            return
        for index in range(1, len(parts) - 2):
            chained = _is_attribute(parts[index + 2]) or parts[index + 2].type == "trailer"
            if _is_attribute(parts[index]) and _is_arguments(parts[index + 1]) and chained:
                rest = [*parts[:index], *parts[index + 2 :]]
                yield "".join(part.get_code(include_prefix=part is not parts[0]) for part in rest)


class KeepOneArgument(Rewrite):
    """Keeps only one of the values of `min` or `max`."""

    EXAMPLES = {"x = min(a, b)": ["x = (b)", "x = (a)"]}

    def rewrites(self, node: NodeOrLeaf) -> Iterator[str]:
        parts = children_of(node)
        if len(parts) == 2 and code_of(parts[0]) in ("min", "max") and len(_arguments(parts[1])) == 3:
            yield from (f"({rest})" for rest in without_each(_arguments(parts[1])))


class RemoveItem(Rewrite):
    """Removes one item of a list, a set, a tuple or a dictionary."""

    EXAMPLES = {
        "x = [a, *b]": ["x = [*b]", "x = [a]"],
        "x = (a, b)": ["x = (b,)", "x = (a,)"],
        "x = {a: 1, **b}": ["x = {**b}", "x = {a: 1}"],
    }

    def rewrites(self, node: NodeOrLeaf) -> Iterator[str]:
        parts = children_of(node)
        if node.type != "atom" or len(parts) != 3 or code_of(parts[0]) not in ("[", "{", "("):
            return
        following = node.get_next_sibling() if node.parent is not None else None
        if following is not None and code_of(following) == ":":
            return  # the key of a dictionary, whose whole entry is removed by another mutant
        is_list = parts[1].type in ("testlist_comp", "dictorsetmaker")
        if is_list and all(child.type not in ("comp_for", "sync_comp_for") for child in parts[1].children):
            opening, closing = code_of(parts[0]), parts[2].get_code()
            for rest in without_each(parts[1].children):
                comma = "," if opening == "(" and "," not in rest else ""
                yield f"{opening}{rest}{comma}{closing}"


class ReplaceValue(Rewrite):
    """Returns nothing, assigns nothing to a name, or leaves an attribute unchanged."""

    EXAMPLES = {
        "def f():\n    return a\n": ["def f():\n    return None\n"],
        "x = a\n": ["x = None\n"],
        "x.y = a\n": ["pass\n"],
        "x.y += a\n": ["pass\n"],
    }

    def rewrites(self, node: NodeOrLeaf) -> Iterator[str]:
        parts = children_of(node)
        if node.type == "return_stmt" and code_of(parts[1]) != "None":
            yield "return None"
        elif node.type == "expr_stmt" and "." in code_of(parts[0]):
            yield "pass"
        elif node.type == "expr_stmt" and code_of(parts[1]) == "=" and parts[0].type == "name":
            yield f"{code_of(parts[0])} = None"


class UnwrapCall(Rewrite):
    """Replaces a call by its argument, so that nothing is sealed, masked, cleaned or rounded."""

    EXAMPLES = {
        "x = clean(y)\n": ["x = y\n"],
        "x = pattern.sub(a, b)\n": ["x = b\n"],
        "x = str(y)\n": [],
        "clean(y)\n": [],
    }

    def rewrites(self, node: NodeOrLeaf) -> Iterator[str]:
        if not _is_call(node) or node.parent.type == "simple_stmt":
            return
        *name, trailer = children_of(node)
        arguments = [part for part in _arguments(trailer) if code_of(part) != ","]
        is_plain = all(part.type not in ("argument", "star_expr") for part in arguments)
        called = code_of(name[-1]).removeprefix(".")
        is_function = called.lstrip("_")[:1].islower() and called not in CONVERSIONS
        if is_plain and (called == "sub" or (len(arguments) == 1 and is_function)):
            given = code_of(arguments[-1])
            yield f"({given})" if " " in given else given


class RemoveLock(Rewrite):
    """Reads a row without locking it."""

    EXAMPLES = {"row = Invoice.objects.locked(pk)": ["row = Invoice.objects.get(pk=pk)"]}

    def rewrites(self, node: NodeOrLeaf) -> Iterator[str]:
        parts = children_of(node)
        if node.type in ("atom_expr", "power") and code_of(parts[-2]) == ".locked":
            yield "".join(code_of(part) for part in parts[:-2]) + f".get(pk={code_of(parts[-1])[1:-1]})"


def _is_attribute(node: NodeOrLeaf) -> bool:
    return node.type == "trailer" and code_of(node).startswith(".")


def _is_arguments(node: NodeOrLeaf) -> bool:
    return node.type == "trailer" and code_of(node).startswith("(")


def _is_call(node: NodeOrLeaf) -> bool:
    return node.type in ("atom_expr", "power") and _is_arguments(children_of(node)[-1])


def _arguments(trailer: NodeOrLeaf) -> Sequence[NodeOrLeaf]:
    """Returns the nodes between the parentheses of a call, including commas."""
    inside = children_of(trailer)[1:-1]
    return children_of(inside[0]) if len(inside) == 1 and inside[0].type == "arglist" else inside


class OurOperators:
    """The provider under which cosmic-ray finds our operators."""

    _classes = {cls.__name__: cls for cls in Rewrite.__subclasses__()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._classes)

    def __getitem__(self, name: str) -> type[Rewrite]:
        return self._classes[name]


# The tests are not an installed package, so they have no entry point for this.
cosmic_ray.plugins.OPERATOR_PROVIDERS["partway"] = OurOperators()

NAMES = (*(f"core/{name}" for name in FROM_COSMIC_RAY), *(f"partway/{name}" for name in OurOperators()))


def operator(name: str) -> Operator:
    """Returns the operator of this name."""
    return cosmic_ray.plugins.get_operator(name)()
