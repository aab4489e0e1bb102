"""Questions to z3: what can be, given premises; and the same questions to cvc5, if asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import z3

Term = Any  # z3 ships no types

MILLISECONDS = 10_000
"""What a solver may take for one question; after that the answer is that it does not know."""

READABLE = (3, 9, 63)
"""Largest numbers that are tried for values, so that people can read them."""


SecondSolver = Callable[[Sequence[Term], Sequence[Sequence[Term]]], int]
"""Takes premises and questions, and says how many of them it rules out."""


class Number(NamedTuple):
    """A number to find a value for, with the terms for "it is 0" and for each of `READABLE`."""

    term: Term
    is_zero: Term
    is_small: tuple[Term, ...]

    @classmethod
    def of(cls, term: Term) -> Number:
        """Return a term as such a number."""
        return cls(term, term == 0, tuple(z3.And(term >= -1, term <= most) for most in READABLE))


class Questions:
    """A solver that knows some premises; it counts what it is asked, and keeps what it rules out.

    asked: how many questions; ruled_out: the conditions of each that was answered with "cannot be",
    which is what proofs rest on.
    """

    def __init__(self, premises: Iterable[Term]) -> None:
        self.premises = [_term(one) for one in premises]
        self.asked = 0
        self.ruled_out: list[tuple[Term, ...]] = []
        self._solver = z3.Solver()
        self._solver.set("timeout", MILLISECONDS)
        self._solver.add(*self.premises)

    def answer(self, *conditions: Term) -> Term:
        """Return z3's answer to whether all of these can be: sat, unsat or unknown."""
        self.asked += 1
        terms = tuple(_term(one) for one in conditions)
        found = self._solver.check(*terms)
        if found == z3.unsat:
            self.ruled_out.append(terms)
        return found

    def can_be(self, conditions: Sequence[Term]) -> bool:
        """Return whether all of these can be, as far as the solver knows."""
        return bool(self.answer(*conditions) != z3.unsat)

    def values(self, conditions: Sequence[Term], numbers: Sequence[Number]) -> Term:
        """Return values for which the conditions hold, these numbers being 0 or small if possible.

        To be called where the last answer to these conditions was sat.
        """
        solver, found = self._solver, self._solver.model()
        solver.push()
        solver.add(*(_term(one) for one in conditions))
        for small in zip(*(number.is_small for number in numbers), strict=True):
            if solver.check(*small) == z3.sat:
                found = solver.model()
                solver.add(*small)
                break
        for number in numbers:
            if z3.is_true(found.eval(number.is_zero, model_completion=True)):
                solver.add(number.is_zero)
            elif solver.check(number.is_zero) == z3.sat:
                found = solver.model()
                solver.add(number.is_zero)
        solver.pop()
        return found


def _term(value: Term) -> Term:
    return z3.BoolVal(value) if isinstance(value, bool) else value


def ruled_out_by_cvc5(premises: Sequence[Term], questions: Sequence[Sequence[Term]]) -> int:
    """Return how many of these questions cvc5 answers with "cannot be".

    They reach it as text in SMT-LIB.  One that it does not answer in time does not count.
    """
    import cvc5

    solver = cvc5.Solver()
    for name, value in (
        ("incremental", "true"),
        ("arrays-exp", "true"),  # for sets in which nothing is marked
        ("tlimit-per", str(MILLISECONDS)),
    ):
        solver.setOption(name, value)
    parser = cvc5.InputParser(solver)
    language = cvc5.InputLanguage.SMT_LIB_2_6
    parser.setStringInput(language, smt_lib(premises, questions), "questions")
    symbols, confirmed = parser.getSymbolManager(), 0
    while not (command := parser.nextCommand()).isNull():
        confirmed += command.invoke(solver, symbols).strip() == "unsat"
    return confirmed


def smt_lib(premises: Sequence[Term], questions: Sequence[Sequence[Term]]) -> str:
    """Return a script in SMT-LIB 2.6 that asks each question, given the premises."""
    every = z3.Solver()
    every.add(*premises, *(term for question in questions for term in question))
    declared = [line for line in every.sexpr().splitlines() if line.startswith("(declare-")]
    lines = ["(set-logic ALL)", *declared, *(f"(assert {term.sexpr()})" for term in premises)]
    for question in questions:
        lines += ["(push 1)", *(f"(assert {term.sexpr()})" for term in question)]
        lines += ["(check-sat)", "(pop 1)"]
    return "\n".join(lines)
