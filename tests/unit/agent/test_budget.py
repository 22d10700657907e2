from __future__ import annotations

from agent.budget import Budget


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_budget_is_spent_at_once_and_comes_back_at_its_rate() -> None:
    clock = Clock()
    budget = Budget(2.0, at_once=3, monotonic=clock)
    assert [budget.take() for _ in range(4)] == [True, True, True, False]
    clock.now = 0.5
    assert [budget.take() for _ in range(2)] == [True, False]
    clock.now = 3600.0
    assert [budget.take() for _ in range(4)] == [True, True, True, False]
