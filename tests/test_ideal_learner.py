"""The ceiling of learning: it finds out what readers like from its own lists alone, and knows no more than they say."""

import numpy as np
import pytest

from benchmarks.closed_loop.arms import Chance, Oracle
from benchmarks.closed_loop.learner import IdealLearner
from benchmarks.closed_loop.loop import serve
from benchmarks.closed_loop.scene import START, Scene, Visit, make_scene
from recsys.simulate import events_of
from recsys.simulate.config import SimulateConfig


@pytest.fixture(scope="module")
def scene() -> Scene:
    return make_scene(SimulateConfig(readers=40, days=1), 30, seed=3)


def test_what_it_finds_out_is_worth_more_than_chance_and_less_than_the_truth(scene: Scene) -> None:
    arms = Chance(scene), IdealLearner(scene, varied=True), IdealLearner(scene), Oracle(scene)
    served = [serve(arm, scene) for arm in arms]
    rates = [lists.clicked.mean() for lists in served]
    assert rates == sorted(rates)
    assert rates[2] > 2 * rates[0]
    filled = [rows for rows in served[1].shown if rows.min() >= 0]
    most = [np.bincount(scene.world.category[rows]).max() for rows in filled]
    assert max(most) < scene.cards == max(np.bincount(scene.world.category[rows]).max() for rows in served[2].shown)


def test_a_click_raises_its_category_and_a_card_that_is_passed_over_lowers_it(scene: Scene) -> None:
    world, reader, moment = scene.world, 0, START
    rows = np.flatnonzero(scene.spoken[world.language[reader]] & (world.published < moment))
    shown = rows[:1]

    def place(*clicked: bool) -> int:
        """Place of the best article of the same category that was not shown."""
        arm = IdealLearner(scene)
        for number, click in enumerate(clicked):
            rng = np.random.default_rng(number)
            arm.learn(events_of(world, reader, shown, np.array([click]), moment, number, scene.end, rng), moment)
        ranked = arm.choose(Visit(9, moment, reader), rows[1:], len(rows))
        return int(np.flatnonzero(world.category[ranked] == world.category[shown])[0])

    assert place(True) == 0
    assert place(True) < place() < place(False, False, False)
