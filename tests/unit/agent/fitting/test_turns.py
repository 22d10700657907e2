from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.fitting.turns import Turns
from scalers.policy import PolicyKey


def keys(namespace: str, count: int) -> list[PolicyKey]:
    return [PolicyKey(namespace, f"p{number:03}") for number in range(count)]


def test_a_single_policy_does_not_wait_for_a_hundred_of_another_namespace() -> None:
    turns = Turns()
    many, single = keys("a", 100), keys("z", 1)
    turns.taken(turns.order(many)[:16])  # under way when the single one comes

    assert turns.order([*many, *single]).index(single[0]) == 0


def test_namespaces_take_turns_where_a_batch_has_no_room_for_all() -> None:
    turns, all_keys = Turns(), [*keys("a", 100), *keys("b", 100), *keys("c", 1), *keys("d", 3)]
    batches = []
    for _ in range(4):
        batch = turns.order(all_keys)[:2]
        turns.taken(batch)
        batches.append([str(key) for key in batch])

    assert batches == [["a/p000", "b/p000"], ["c/p000", "d/p000"], ["a/p001", "b/p001"], ["c/p000", "d/p001"]]


def test_one_that_is_gone_and_comes_back_begins_anew() -> None:
    turns = Turns()
    first, second = keys("a", 2)
    turns.taken([first])
    turns.order([second])

    assert turns.order([first, second]) == [first, second]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), unique=True, min_size=1, max_size=30),
    st.integers(1, 5),
)
def test_nobody_waits_longer_than_it_takes_to_serve_every_policy_of_every_namespace_once(
    names: list[tuple[str, int]], room: int
) -> None:
    turns, all_keys = Turns(), [PolicyKey(namespace, str(number)) for namespace, number in names]
    served: set[PolicyKey] = set()
    largest = max(sum(key.namespace == namespace for key in all_keys) for namespace in "abc")
    for _ in range(3 * largest):
        batch = turns.order(all_keys)[:room]
        turns.taken(batch)
        served |= set(batch)

    assert served == set(all_keys)
