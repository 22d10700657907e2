from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.board import Board
from scalers.keda.board import Answer, AnswerBoard, UnknownPolicy
from scalers.policy import PolicyKey
from tests.fakes.board import CHAT, IDLE, REFUSAL, HeldBoard, needing

TEN_MINUTES = timedelta(minutes=10)


class Ticks:
    """A monotonic clock that the test winds, seconds."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def board(ticks: Ticks) -> Board:
    return Board(ticks)


def _real() -> tuple[AnswerBoard, Callable[[PolicyKey, Answer], None]]:
    board = Board()
    return board, lambda key, answer: board.publish(key, answer, valid_for=TEN_MINUTES)


def _fake() -> tuple[AnswerBoard, Callable[[PolicyKey, Answer], None]]:
    board = HeldBoard()
    return board, board.put


@pytest.fixture(params=[_real, _fake], ids=["Board", "HeldBoard"])
def any_board(request: pytest.FixtureRequest) -> tuple[AnswerBoard, Callable[[PolicyKey, Answer], None]]:
    """Every board under the port's contract, and how it is written to."""
    pair: tuple[AnswerBoard, Callable[[PolicyKey, Answer], None]] = request.param()
    return pair


def test_a_policy_that_is_not_acted_on_is_refused_with_the_reason(board: Board) -> None:
    board.explain({CHAT: "2 policies are acted on in namespace ml; delete one of them"})
    expected = 'ForecastPolicy "chat" in namespace "ml" is not acted on: 2 policies are acted on in namespace ml'
    with pytest.raises(UnknownPolicy, match=expected):
        board.answer(CHAT)
    board.explain({})
    with pytest.raises(UnknownPolicy, match="there is no ForecastPolicy"):
        board.answer(CHAT)


def test_every_board_gives_the_newest_answer_and_refuses_policies_it_does_not_know(
    any_board: tuple[AnswerBoard, Callable[[PolicyKey, Answer], None]],
) -> None:
    board, put = any_board
    with pytest.raises(UnknownPolicy, match="chat"):
        board.answer(CHAT)
    put(CHAT, needing(3.0))
    put(CHAT, needing(4.0))
    assert board.answer(CHAT) == needing(4.0)


def test_every_board_calls_subscribers_after_answers_that_differ_until_they_leave(
    any_board: tuple[AnswerBoard, Callable[[PolicyKey, Answer], None]],
) -> None:
    board, put = any_board
    seen: list[float | None] = []
    leave = board.subscribe(CHAT, lambda: seen.append(board.answer(CHAT).replicas))
    for answer in (needing(3.0), needing(3.0), REFUSAL, IDLE):
        put(CHAT, answer)
    leave()
    put(CHAT, needing(5.0))
    assert seen == [3.0, None, 0.0]


def test_every_board_keeps_subscribers_of_different_policies_and_of_the_same_one_apart(
    any_board: tuple[AnswerBoard, Callable[[PolicyKey, Answer], None]],
) -> None:
    board, put = any_board
    calls: list[str] = []
    leave = board.subscribe(CHAT, lambda: calls.append("first"))
    board.subscribe(CHAT, lambda: calls.append("second"))
    board.subscribe(PolicyKey("ml", "other"), lambda: calls.append("other"))
    leave()
    put(CHAT, needing(3.0))
    assert calls == ["second"]


def test_a_registered_policy_is_refused_until_its_first_decision(board: Board) -> None:
    board.register(CHAT)
    answer = board.answer(CHAT)
    assert answer.replicas is None
    assert answer.reason == "no decision yet: the agent has just taken the policy up"


def test_registering_again_keeps_the_answer(board: Board) -> None:
    board.publish(CHAT, needing(3.0), valid_for=TEN_MINUTES)
    board.register(CHAT)
    assert board.answer(CHAT) == needing(3.0)


@pytest.mark.parametrize(
    ("seconds", "age"), [(601, "10 min"), (725, "12 min"), (3 * 3600, "3 h")], ids=["just", "later", "long after"]
)
def test_an_answer_that_is_too_old_is_refused_with_its_age(
    board: Board, ticks: Ticks, seconds: float, age: str
) -> None:
    board.publish(CHAT, needing(3.0), valid_for=TEN_MINUTES)
    ticks.seconds += seconds
    assert board.answer(CHAT) == Answer(
        replicas=None, is_active=False, reason=f"last decision is {age} old; the agent's decision loop is not running"
    )


def test_an_answer_stands_to_the_last_instant_of_its_time(board: Board, ticks: Ticks) -> None:
    board.publish(CHAT, needing(3.0), valid_for=TEN_MINUTES)
    ticks.seconds += 600
    assert board.answer(CHAT) == needing(3.0)


def test_publishing_the_same_again_makes_it_younger_and_tells_nobody(board: Board, ticks: Ticks) -> None:
    board.publish(CHAT, needing(3.0), valid_for=TEN_MINUTES)
    calls: list[int] = []
    board.subscribe(CHAT, lambda: calls.append(1))
    ticks.seconds += 500
    board.publish(CHAT, needing(3.0), valid_for=TEN_MINUTES)
    ticks.seconds += 500
    assert board.answer(CHAT) == needing(3.0)
    assert calls == []


def test_the_same_answer_after_it_had_expired_is_told_as_a_change(board: Board, ticks: Ticks) -> None:
    board.publish(CHAT, needing(3.0), valid_for=TEN_MINUTES)
    calls: list[int] = []
    board.subscribe(CHAT, lambda: calls.append(1))
    ticks.seconds += 601
    board.publish(CHAT, needing(3.0), valid_for=TEN_MINUTES)
    assert calls == [1]


def test_a_removed_policy_is_unknown_and_its_subscribers_hear_of_it(board: Board) -> None:
    board.publish(CHAT, needing(3.0), valid_for=TEN_MINUTES)
    calls: list[int] = []
    board.subscribe(CHAT, lambda: calls.append(1))
    board.remove(CHAT)
    board.remove(CHAT)
    assert calls == [1]
    with pytest.raises(UnknownPolicy):
        board.answer(CHAT)


def test_an_unknown_policy_is_named_with_the_nearest_of_its_namespace(board: Board) -> None:
    board.register(CHAT)
    board.register(PolicyKey("billing", "chatt"))
    with pytest.raises(UnknownPolicy) as caught:
        board.answer(PolicyKey("ml", "chatt"))
    assert caught.value.args[0] == 'there is no ForecastPolicy "chatt" in namespace "ml": did you mean "chat"?'


def test_made_up_names_get_no_more_hints_than_people_need_and_a_typo_keeps_its_own(board: Board, ticks: Ticks) -> None:
    board.register(CHAT)

    def is_hinted(name: str) -> bool:
        with pytest.raises(UnknownPolicy) as caught:
            board.answer(PolicyKey("ml", name))
        return 'did you mean "chat"' in str(caught.value)

    assert is_hinted("chatt")
    assert sum(is_hinted(f"chat{number}") for number in range(500)) == 49
    assert is_hinted("chatt")
    ticks.seconds += 1
    assert sum(is_hinted(f"chat-{number}") for number in range(500)) == 5


def test_a_published_answer_knows_since_when_and_is_the_same_answer(board: Board, ticks: Ticks) -> None:
    board.publish(CHAT, IDLE, valid_for=TEN_MINUTES)
    ticks.seconds += 5
    assert board.answer(CHAT) == IDLE
    assert board.answer(CHAT).published_at == 1000.0


def test_an_unknown_policy_with_no_near_name_is_told_where_policies_are_looked_for(board: Board) -> None:
    board.register(PolicyKey("billing", "chat"))
    with pytest.raises(UnknownPolicy, match="a trigger finds the policies of its own namespace only"):
        board.answer(CHAT)


def test_a_removed_policy_is_no_longer_suggested(board: Board) -> None:
    board.register(CHAT)
    board.remove(CHAT)
    with pytest.raises(UnknownPolicy, match="of its own namespace only"):
        board.answer(PolicyKey("ml", "chatt"))


def test_the_board_is_ready_when_every_policy_has_an_answer_or_a_refusal(board: Board) -> None:
    other = PolicyKey("ml", "other")
    ready = [board.is_ready()]
    board.register(CHAT)
    board.register(other)
    ready.append(board.is_ready())
    board.publish(CHAT, needing(3.0), valid_for=TEN_MINUTES)
    ready.append(board.is_ready())
    board.publish(other, REFUSAL, valid_for=TEN_MINUTES)
    ready.append(board.is_ready())
    assert ready == [True, False, False, True]


@given(
    st.lists(st.tuples(st.sampled_from(["publish", "register", "remove"]), st.sampled_from("abc"), st.integers(0, 9)))
)
def test_the_board_holds_what_was_last_done_to_each_policy(deeds: list[tuple[str, str, int]]) -> None:
    board = Board(Ticks())
    expected: dict[str, float | None] = {}
    for deed, name, replicas in deeds:
        key = PolicyKey("ml", name)
        if deed == "publish":
            board.publish(key, needing(replicas), valid_for=TEN_MINUTES)
            expected[name] = replicas
        elif deed == "register":
            board.register(key)
            expected.setdefault(name, None)
        else:
            board.remove(key)
            expected.pop(name, None)
    for name, replicas in expected.items():
        assert board.answer(PolicyKey("ml", name)).replicas == replicas
    assert board.is_ready() == (None not in expected.values())


def test_readers_in_other_threads_see_whole_answers_only(board: Board) -> None:
    board.publish(CHAT, Answer(0.0, True, "0"), valid_for=TEN_MINUTES)
    torn: list[Answer] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            answer = board.answer(CHAT)
            if answer.reason != f"{answer.replicas:.0f}":
                torn.append(answer)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(2000):
        board.publish(CHAT, Answer(float(number), True, f"{number}"), valid_for=TEN_MINUTES)
    done.set()
    for reader in readers:
        reader.join()
    assert torn == []


def test_a_reader_does_not_wait_for_a_publisher_whose_subscriber_is_slow(board: Board) -> None:
    board.publish(CHAT, needing(1.0), valid_for=TEN_MINUTES)
    entered, leave = threading.Event(), threading.Event()
    board.subscribe(CHAT, lambda: (entered.set(), leave.wait(5))[0])
    publisher = threading.Thread(target=board.publish, args=(CHAT, needing(2.0)), kwargs={"valid_for": TEN_MINUTES})
    publisher.start()
    assert entered.wait(5)
    assert board.answer(CHAT) == needing(2.0)
    assert publisher.is_alive()
    leave.set()
    publisher.join()
