"""Statuses are written when they mean something new, and kept within what the API server takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent.cluster.documents import Documents, Name
from agent.cluster.status import Refusal, status_of
from agent.cluster.statuses import StatusNotWritten, StatusWriter
from agent.policy.crd import custom_resource_definition
from agent.policy.status import status_json
from agent.snapshot import PolicySnapshot
from scalers.decision import Decision, Replicas
from scalers.policy import PolicyKey
from tests.fakes.api_server import FakeApiServer
from tests.fakes.book import InventedBook, SteppedClock
from tests.fakes.policies import document

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Statuses:
    """Takes what is written; refuses what it is told to."""

    def __init__(self) -> None:
        self.written: list[tuple[Name, Mapping[str, object]]] = []
        self.refuses = False

    async def write(self, name: Name, status: Mapping[str, object]) -> None:
        if self.refuses:
            raise StatusNotWritten("503")
        self.written.append((name, status))


class Book:
    """Pictures as a test says; counts how often one is taken."""

    def __init__(self, *pictures: PolicySnapshot) -> None:
        self.pictures = {each.key: each for each in pictures}
        self.taken = 0

    def newest(self) -> dict[PolicyKey, Decision | None]:
        return {key: picture.decision for key, picture in self.pictures.items()}

    def brief(self, key: PolicyKey) -> PolicySnapshot | None:
        self.taken += 1
        return self.pictures.get(key)


def snapshots() -> tuple[PolicySnapshot, ...]:
    return InventedBook(SteppedClock(NOON)).snapshots()


def documents_of(pictures: tuple[PolicySnapshot, ...]) -> Documents:
    documents = Documents()
    documents.replace(
        {"metadata": {"namespace": each.key.namespace, "name": each.key.name, "uid": "a", "generation": 3}}
        for each in pictures
    )
    return documents


def moved(picture: PolicySnapshot, **changes: object) -> PolicySnapshot:
    assert picture.decision is not None
    return replace(picture, decision=replace(picture.decision, **changes))  # type: ignore[arg-type]


async def test_a_status_is_written_once_for_what_it_means() -> None:
    (picture, *_) = snapshots()
    assert picture.decision is not None
    api, now = Statuses(), picture.taken_at
    writer = StatusWriter(api, documents_of((picture,)))
    assert await writer.look(Book(picture), {}, now) == 1
    later = moved(picture, at=now + MINUTE, sentence="another demand, as many replicas")
    assert await writer.look(Book(later), {}, now + MINUTE) == 0
    there = moved(picture, replicas=Replicas(2, 1))
    assert await writer.look(Book(there), {}, now + MINUTE) == 1
    assert [name for name, _ in api.written] == [(picture.key.namespace, picture.key.name)] * 2


async def test_a_status_that_means_the_same_is_written_now_and_then() -> None:
    (picture, *_) = snapshots()
    api, now = Statuses(), picture.taken_at
    writer = StatusWriter(api, documents_of((picture,)))
    await writer.look(Book(picture), {}, now)
    assert await writer.look(Book(picture), {}, now + 9 * MINUTE) == 0
    assert await writer.look(Book(picture), {}, now + 10 * MINUTE) == 1


async def test_of_a_policy_whose_decision_has_not_changed_no_picture_is_taken() -> None:
    pictures = snapshots()
    api, book = Statuses(), Book(*pictures)
    writer = StatusWriter(api, documents_of(pictures))
    await writer.look(book, {}, NOON)
    await writer.look(book, {}, NOON)
    taken = book.taken
    assert await writer.look(book, {}, NOON) == 0
    assert book.taken == taken
    first, *_ = pictures
    book.pictures[first.key] = moved(first, at=NOON, sentence="another demand, as many replicas")
    assert await writer.look(book, {}, NOON) == 0
    assert book.taken == taken + 1


async def test_what_could_not_be_written_is_tried_again() -> None:
    (picture, *_) = snapshots()
    api, now = Statuses(), picture.taken_at
    writer = StatusWriter(api, documents_of((picture,)))
    api.refuses = True
    await writer.look(Book(picture), {}, now)
    api.refuses = False
    await writer.look(Book(picture), {}, now)
    assert len(api.written) == 1


async def test_policies_that_are_gone_or_undecided_are_not_written() -> None:
    first, second, *_ = snapshots()
    api = Statuses()
    writer = StatusWriter(api, documents_of((second,)))
    assert await writer.look(Book(first, replace(second, decision=None)), {}, first.taken_at) == 0


async def test_a_policy_that_is_refused_says_why_beside_what_its_last_good_version_does() -> None:
    (picture, *_) = snapshots()
    api = Statuses()
    writer = StatusWriter(api, documents_of((picture,)))
    name = (picture.key.namespace, picture.key.name)
    await writer.look(Book(picture), {name: Refusal("spec.risk: is 90%, must be below 50%")}, picture.taken_at)
    ((_, status),) = api.written
    ready = next(each for each in status["conditions"] if each["type"] == "Ready")  # type: ignore[attr-defined]
    assert (ready["status"], ready["reason"]) == ("False", "Invalid")
    assert "the last good version is acted on: spec.risk" in ready["message"]
    assert status["observedGeneration"] == 3
    assert "recommendation" in status


async def test_where_all_change_all_the_time_each_has_its_turn() -> None:
    (picture, *_) = snapshots()
    many = [replace(picture, key=PolicyKey("ml", f"chat-{number:02d}")) for number in range(45)]
    api, documents = Statuses(), documents_of(tuple(many))
    writer = StatusWriter(api, documents)
    for look in range(6):
        changed = [moved(each, answer=float(look + 1)) for each in many]
        await writer.look(Book(*changed), {}, picture.taken_at + look * MINUTE)
    times = Counter(name for name, _ in api.written)
    assert len(times) == 45
    assert max(times.values()) - min(times.values()) <= 1


async def test_an_edit_does_not_wait_for_what_others_answer() -> None:
    (picture, *_) = snapshots()
    many = [replace(picture, key=PolicyKey("ml", f"chat-{number:02d}")) for number in range(45)]
    api, documents = Statuses(), documents_of(tuple(many))
    writer = StatusWriter(api, documents)
    for look in range(3):
        await writer.look(Book(*many), {}, picture.taken_at + look * MINUTE)
    edited = {"metadata": {"namespace": "ml", "name": "chat-44", "uid": "a", "generation": 4, "resourceVersion": "9"}}
    documents.put(edited)
    changed = [moved(each, answer=9.0) for each in many]
    await writer.look(Book(*changed), {}, picture.taken_at + 3 * MINUTE)
    assert api.written[45][0] == ("ml", "chat-44")


async def test_of_many_that_change_at_once_some_wait_for_the_next_look() -> None:
    (picture, *_) = snapshots()
    many = tuple(replace(picture, key=replace(picture.key, name=f"chat-{number}")) for number in range(45))
    api = Statuses()
    writer = StatusWriter(api, documents_of(many))
    written = [await writer.look(Book(*many), {}, picture.taken_at) for _ in range(4)]
    assert written == [20, 20, 5, 0]
    assert len({name for name, _ in api.written}) == 45


@pytest.mark.parametrize("number", range(len(snapshots())))
def test_an_api_server_takes_every_picture_as_a_status(number: int) -> None:
    status = status_json(status_of(snapshots()[number], generation=3))
    server = FakeApiServer(custom_resource_definition())
    assert server.refusals({**document(), "status": status}) == []


def test_what_is_saved_is_told_over_whole_hours() -> None:
    picture = next(each for each in snapshots() if each.advantages)
    (signal, advantage), *_ = picture.advantages.items()
    odd = replace(advantage, lately=timedelta(days=4, minutes=40, seconds=15, milliseconds=895))
    status = status_json(status_of(replace(picture, advantages={signal: odd}), generation=1))
    assert status["savings"]["window"] == "4d"  # type: ignore[index]
