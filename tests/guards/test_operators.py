"""Each of our mutation operators makes the mutants that its examples state."""

from __future__ import annotations

import pytest
from cosmic_ray.mutating import mutate_code

from .operators import NAMES, OurOperators, Rewrite, operator


@pytest.mark.parametrize("name", list(OurOperators()))
def test_an_operator_makes_the_mutants_of_its_examples(name: str) -> None:
    rewrite: type[Rewrite] = OurOperators()[name]
    for before, afters in rewrite.EXAMPLES.items():
        mutants = [mutate_code(before, rewrite(), index) for index in range(len(afters) + 1)]
        assert mutants == [*afters, None]


@pytest.mark.parametrize("name", NAMES)
def test_cosmic_ray_has_the_operators_that_we_choose(name: str) -> None:
    assert operator(name) is not None
