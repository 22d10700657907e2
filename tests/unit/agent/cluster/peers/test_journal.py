"""What a leader has kept and answered: all of it in order, or a copy is asked for."""

from __future__ import annotations

import pytest

from agent.cluster.peers.journal import CopyNeeded, Cursor, Journal
from agent.cluster.peers.proto import peers_pb2 as proto
from agent.cluster.peers.wire import rows_message, state_message
from scalers.policy import PolicyKey
from tests.fakes.peers import CHAT, row, told


class Watch:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def journal(watch: Watch) -> Journal:
    journal = Journal(monotonic=watch)
    journal.begin("first")
    return journal


def all_after(journal: Journal, cursor: Cursor) -> list[proto.Page]:
    pages = []
    while (found := journal.after(cursor)) is not None:
        page, cursor = found
        pages.append(page)
    return pages


def test_an_answer_comes_after_the_row_that_it_rests_on(journal: Journal) -> None:
    cursor = journal.head()
    journal.wrote(rows_message([row(5.0, 0)]))
    journal.published(told(5.0))
    (page,) = all_after(journal, cursor)
    assert [each.body for each in page.decisions] == [b'{"answer": 5.0}']
    assert [each.replicas for each in page.answers] == [5.0]
    assert journal.after(journal.cursor(proto.Position(term="first", sequence=page.sequence))) is None


def test_of_answers_the_newest_counts_and_of_entries_each(journal: Journal) -> None:
    cursor = journal.head()
    for answer in (5.0, 6.0):
        journal.wrote(rows_message([row(answer, 0)]))
        journal.published(told(answer))
    (page,) = all_after(journal, cursor)
    assert [each.body for each in page.decisions] == [b'{"answer": 5.0}', b'{"answer": 6.0}']
    assert [each.replicas for each in page.answers] == [6.0]


def test_who_comes_again_gets_what_it_lacks(journal: Journal) -> None:
    journal.wrote(state_message("ml/chat/demand", "peaks", b"one"))
    (page,) = all_after(journal, Cursor("first", 0, 0))
    journal.wrote(state_message("ml/chat/demand", "peaks", b"two"))
    cursor = journal.cursor(proto.Position(term="first", sequence=page.sequence))
    assert [state.body for page in all_after(journal, cursor) for state in page.states] == [b"two"]


def test_a_copy_is_needed_where_entries_are_gone(watch: Watch) -> None:
    journal = Journal(monotonic=watch, most_bytes=2_000)
    journal.begin("first")
    cursor = journal.head()
    for _ in range(30):
        journal.wrote(state_message("ml/chat/demand", "peaks", b"x" * 100))
    with pytest.raises(CopyNeeded):
        journal.after(cursor)
    with pytest.raises(CopyNeeded):
        journal.cursor(proto.Position(term="first", sequence=3))


def test_a_copy_is_needed_of_another_leadership(journal: Journal) -> None:
    cursor = journal.head()
    journal.begin("second")
    with pytest.raises(CopyNeeded):
        journal.after(cursor)
    with pytest.raises(CopyNeeded):
        journal.cursor(proto.Position(term="first", sequence=0))


def test_who_begins_a_copy_gets_every_answer_after_it(journal: Journal) -> None:
    journal.published(told(5.0))
    journal.published(told(7.0, PolicyKey("ml", "llm")))
    (page,) = all_after(journal, journal.head())
    assert {each.name: each.replicas for each in page.answers} == {"chat": 5.0, "llm": 7.0}


def test_an_answer_grows_old_while_it_waits(journal: Journal, watch: Watch) -> None:
    journal.published(told(5.0, age=2.0))
    watch.seconds = 30.0
    (page,) = all_after(journal, journal.head())
    (answer,) = page.answers
    assert (answer.age_seconds, answer.valid_seconds) == (32.0, 570.0)


def test_answers_outlive_the_leadership_in_which_they_were_heard(journal: Journal) -> None:
    journal.begin("")
    journal.published(told(5.0))
    journal.begin("second")
    (page,) = all_after(journal, journal.head())
    assert [each.replicas for each in page.answers] == [5.0]
    journal.dropped(CHAT)
    assert journal.newest(CHAT) is None


def test_nothing_is_kept_for_followers_where_nobody_is_led(watch: Watch) -> None:
    journal = Journal(monotonic=watch)
    journal.wrote(rows_message([row(5.0, 0)]))
    journal.begin("first")
    assert journal.after(Cursor("first", 0, 0)) is None


def test_many_entries_are_told_in_pages_and_none_twice(journal: Journal) -> None:
    cursor = journal.head()
    for number in range(12):
        journal.wrote(state_message("ml/chat/demand", str(number), b"x" * 100_000))
    journal.published(told(5.0))
    pages = all_after(journal, cursor)
    assert [state.name for page in pages for state in page.states] == [str(number) for number in range(12)]
    assert len(pages) > 1
    assert [len(page.answers) for page in pages] == [*[0] * (len(pages) - 1), 1]
    assert [page.sequence for page in pages[:-1]] == [0] * (len(pages) - 1), "an answer is still missing"
