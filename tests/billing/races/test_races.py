"""Every race ends as its table says: in both orders, at each failpoint of the first act, on either database.

With --split the first act is held at a sample of its failpoints that has both ends of each row; without, at each.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.billing.races.acts import ACTS
from tests.billing.races.observations import OBSERVATIONS
from tests.billing.races.race_tables import RACES, Race, ScenarioFactory
from tests.billing.races.scenarios import SCENARIOS
from tests.support.gateways import TEST_GATEWAY

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "design.md"
ELSEWHERE = {"crash anywhere × retry"}  # tests/crashes kills the processes


SAMPLED = [pytest.mark.sampled_on("sqlite", every=6), pytest.mark.sampled_on("postgresql", every=2)]
# A race whose table has a row for one database alone.
ALWAYS = [pytest.mark.sampled_on("sqlite", every=1), pytest.mark.sampled_on("postgresql", every=1)]
SANDBOX_ONLY = pytest.mark.sandbox_only("Stripe refuses a refund of a payment of which a part is disputed")
# A few are played at the stand-in for Stripe too; `make gateways` plays them all there.
AT_STRIPE = ("authorized: cancel, then return", "paid online: refund, then refund callback")


def cases() -> list[Any]:
    """Returns each race with the gateway at which it is played."""
    found = []
    for race in RACES:
        marks = [*(ALWAYS if race.depends_on_database else SAMPLED)]
        if race.given == "disputed" and "refund" in (race.first, race.second):
            marks.append(SANDBOX_ONLY)
        found.append(pytest.param(race, TEST_GATEWAY, id=str(race), marks=marks))
        if str(race) in AT_STRIPE and TEST_GATEWAY == "sandbox":
            left = pytest.mark.left_to("sqlite")
            found.append(pytest.param(race, "stripe", id=f"{race} at stripe", marks=left))
    return found


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("race", "gateway_code"), cases())
def test_race_outcomes_match_race_table(
    race: Race, scenario_factory: ScenarioFactory, pytestconfig: pytest.Config
) -> None:
    points = race.failpoints_of_first_act(scenario_factory)
    expected = race.expected(list(points))
    labels = list(points)
    played = race.sample(labels, RACES.index(race)) if pytestconfig.option.split else labels
    outcomes = race.play(scenario_factory, {label: points[label] for label in played})
    assert outcomes == {label: expected[label] for label in played}


def test_every_race_of_design_reference_has_a_race_table() -> None:
    section = REFERENCE.read_text().partition("\n## 6 ")[2].partition("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")]
    assert rows[0] == "pair"
    assert set(rows[1:]) - {race.pair for race in RACES} == ELSEWHERE


@pytest.mark.parametrize(
    ("defined", "used"),
    [
        (SCENARIOS, {race.given for race in RACES}),
        (ACTS, {act for race in RACES for act in (race.first, race.second)}),
        (OBSERVATIONS, {fact for race in RACES for fact in race.facts}),
    ],
    ids=["given", "acts", "facts"],
)
def test_race_tables_use_every_scenario_act_and_fact(defined: dict[str, object], used: set[str]) -> None:
    assert set(defined) == used
