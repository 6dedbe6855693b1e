"""The queue of nodes gives them back by rising key, each once, and a key may fall while its node waits."""

from __future__ import annotations

import random

import pytest

from finbench.fin_graph.paths.waiting import let_wait, nobody_waits, take_least


@pytest.mark.parametrize("seed", range(20))
def test_nodes_come_back_by_their_least_key(seed: int) -> None:
    rng, count = random.Random(seed), 1 + seed
    waiting, keys = nobody_waits(count), dict[int, float]()
    for _ in range(40 * count):
        if keys and rng.random() < 0.4:
            n = take_least(waiting)
            assert keys.pop(n) == min([*keys.values(), waiting.key[n]])
        else:
            n = rng.randrange(count)
            keys[n] = min(keys.get(n, 2.0), float(rng.randrange(50)) / 50)
            let_wait(waiting, n, keys[n])
        assert waiting.size[0] == len(keys)


def test_a_node_that_was_taken_may_wait_again() -> None:
    waiting = nobody_waits(3)
    for key in (1.0, 0.5, 4.0):
        let_wait(waiting, 2, key)
        assert take_least(waiting) == 2
    assert waiting.size[0] == 0
