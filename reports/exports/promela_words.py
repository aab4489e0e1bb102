"""Words of Promela: terms as its expressions, names that it leaves free, comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from reports.exports.terms import Binary, Const, Field, Not, Number, Term
from tcpclose_model.protocol.vocabulary import State, Told

KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        """
    active always assert atomic bit bool break byte c_code c_decl c_expr c_state c_track chan do
    d_step else empty enabled eval eventually false fi for full get_priority goto hidden if implies
    in init inline int len local ltl mtype nempty never nfull next notrace od of pc_value pid print
    printf printm priority proctype provided release return run select set_priority short show skip
    stronguntil timeout trace true typedef unless unsigned until weakuntil xr xs np_ _ _last _nr_pr
    _pid _priority stdin unix linux
    """,
    )
)
"""Names that SPIN, or the C preprocessor that it runs, gives a meaning."""

OPERATORS = {
    "or": (1, "||"),
    "and": (2, "&&"),
    "|": (3, "|"),
    "&": (5, "&"),
    "==": (6, "=="),
    "!=": (6, "!="),
    "<": (7, "<"),
    "<=": (7, "<="),
    ">": (7, ">"),
    ">=": (7, ">="),
    "+": (9, "+"),
    "-": (9, "-"),
}
"""How strongly each sign binds, as in C, and how Promela writes it."""

SHIFT, UNARY = 8, 11


class Names:
    """Gives out names that are free, as near to the wanted ones as can be."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {*KEYWORDS, *taken}

    def free(self, wanted: str) -> str:
        """Return a name that nothing else has, and that nothing else will get."""
        name = re.sub(r"\W", "_", wanted, flags=re.ASCII)
        if not name or not name[0].isalpha():
            name = f"x{name}"
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name


def expression(term: Term, words: Mapping[Field, str], binds: int = 0) -> str:
    """Return a term in Promela; in parentheses where it binds less than `binds`."""
    match term:
        case Const(State() | Told() as value):
            return value.name
        case Const():
            return str(int(term.value))
        case Field():
            return words[term]
        case Not():
            return f"!({expression(term.term, words)})"
        case Number():
            return f"({expression(term.term, words)})"
    strength, text = _operation(term, words)
    return f"({text})" if strength < binds else text


def _operation(term: Binary, words: Mapping[Field, str]) -> tuple[int, str]:
    """Return how strongly an operation binds, and its text."""
    left, right = term.left, term.right
    if term.sign == "marked":
        return 5, f"{expression(left, words, SHIFT)} >> {expression(right, words, SHIFT + 1)} & 1"
    if term.sign == "with":
        return 3, f"{expression(left, words, 3)} | 1 << {expression(right, words, SHIFT + 1)}"
    if term.sign == "without":
        return 5, f"{expression(left, words, 5)} & ~(1 << {expression(right, words, SHIFT + 1)})"
    strength, sign = OPERATORS[term.sign]

    def part(inner: Term, least: int) -> str:
        # Of `and` and `or` in one another the reader need not know which binds more.
        logic = isinstance(inner, Binary) and {inner.sign, term.sign} == {"and", "or"}
        return expression(inner, words, UNARY if logic else least)

    chain = term.sign in ("and", "or", "+")
    return strength, f"{part(left, strength)} {sign} {part(right, strength + (not chain))}"


def conjuncts(term: Term) -> list[Term]:
    """Return the terms that `and` joins."""
    if isinstance(term, Binary) and term.sign == "and":
        return [*conjuncts(term.left), *conjuncts(term.right)]
    return [term]


def comment(text: str) -> str:
    """Return text as one comment."""
    return f"/* {plain(text)} */"


def plain(text: str) -> str:
    """Return text that can stand inside a comment, on one line."""
    return " ".join(text.split()).replace("*/", "* /").replace("/*", "/ *").replace("\\", "/")


def said(text: str) -> str:
    """Return text that can stand inside the string of a `printf`."""
    return re.sub(r'["%]', "'", plain(text))


def beside(code: str, note: str) -> str:
    """Return a line of code with a note at its right."""
    return f"{code:<63} {comment(note)}" if note else code


def indented(lines: Iterable[str], by: int) -> list[str]:
    """Return the lines moved to the right; those of the preprocessor stay at the left."""
    return [line if line.startswith("#") else " " * by + line for line in lines]
