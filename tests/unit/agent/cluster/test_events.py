"""Events tell what has changed, once, within what a namespace can bear, and never a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.cluster.documents import Documents
from agent.cluster.events import EventNotWritten, EventTeller
from agent.cluster.status import status_of
from agent.cluster.statuses import StatusWriter
from agent.policy.status import status_json
from agent.snapshot import Condition, PolicySnapshot
from scalers.decision import Decision
from scalers.policy import Mode, PolicyKey
from tests.fakes.book import InventedBook, SteppedClock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CHAT = PolicyKey("ml", "chat")
HPA = "HorizontalPodAutoscaler ml/chat-cpu: it scales Deployment/chat, too: delete it"


class Events:
    """Takes Events; refuses what it is told to."""

    def __init__(self) -> None:
        self.created: list[dict[str, Any]] = []
        self.refuses = False

    async def create(self, namespace: str, event: dict[str, Any]) -> None:
        if self.refuses:
            raise EventNotWritten("Forbidden")
        self.created.append(event)

    def told(self) -> list[tuple[str, str, str]]:
        return [(each["type"], each["reason"], each["note"]) for each in self.created]


class Clock:
    """Seconds, as a test says."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def status(*conditions: tuple[str, str, str, str], expert: str = "", lead_time: str = "2m") -> dict[str, Any]:
    """A status as it is written: conditions as type, status, reason and message."""
    names = ("type", "status", "reason", "message")
    found: dict[str, Any] = {"conditions": [dict(zip(names, each, strict=True)) for each in conditions]}
    found["leadTime"] = {"used": lead_time, "origin": "Measured", "message": "of 20 start-ups"}
    return {**found, "trust": {"expert": expert, "message": "3 % fewer replicas"}} if expert else found


READY = ("Ready", "True", "Answering", "120 now needs 10")
QUIET = ("Conflict", "False", "NoneFound", "nothing else was found that acts on the target")
FIGHT = ("Conflict", "True", "TwoScalers", HPA)


class Rig:
    """One policy, and the Events of what is written of it."""

    def __init__(self, before: Mapping[str, Any] | None = None) -> None:
        self.api, self.clock = Events(), Clock()
        self.teller = EventTeller(self.api, instance="foretide-0", monotonic=self.clock)
        metadata = {"namespace": "ml", "name": "chat", "uid": "a", "resourceVersion": "7"}
        self.document: dict[str, Any] = {"metadata": metadata}
        if before is not None:
            self.document["status"] = before

    async def writes(self, written: dict[str, Any], mode: Mode | None = Mode.ACTIVE) -> list[tuple[str, str, str]]:
        """Write a status, and return the Events so far."""
        await self.teller.written(self.document, written, mode=mode, now=NOON)
        return self.api.told()


async def test_a_conflict_that_comes_and_goes_is_told_as_a_warning_and_its_end() -> None:
    rig = Rig()
    assert await rig.writes(status(READY, QUIET)) == []
    assert await rig.writes(status(READY, FIGHT)) == [("Warning", "TwoScalers", f"Conflict is True: {HPA}")]
    assert (await rig.writes(status(READY, FIGHT)))[1:] == []
    assert (await rig.writes(status(READY, QUIET)))[1:] == [
        ("Normal", "NoneFound", "Conflict is False: nothing else was found that acts on the target")
    ]


async def test_an_event_names_its_policy_and_who_told_it() -> None:
    rig = Rig()
    await rig.writes(status(FIGHT))
    assert rig.api.created == [
        {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"generateName": "chat-", "namespace": "ml"},
            "eventTime": "2026-03-02T12:00:00.000000Z",
            "reportingController": "foretide.dev/agent",
            "reportingInstance": "foretide-0",
            "regarding": {
                "apiVersion": "foretide.dev/v1alpha1",
                "kind": "ForecastPolicy",
                "namespace": "ml",
                "name": "chat",
                "uid": "a",
                "resourceVersion": "7",
            },
            "type": "Warning",
            "reason": "TwoScalers",
            "action": "Conflict",
            "note": f"Conflict is True: {HPA}",
        }
    ]


async def test_of_a_policy_that_begins_only_what_is_wrong_is_told() -> None:
    learning = ("ForecastTrusted", "False", "Learning", "needs 31 h more history")
    empty = ("DataFresh", "False", "Empty", "the query matches nothing")
    assert await Rig().writes(status(READY, learning, empty, QUIET, expert="reactive at 70%")) == [
        ("Warning", "Empty", "DataFresh is False: the query matches nothing")
    ]


async def test_after_a_start_what_the_cluster_has_is_not_told_again() -> None:
    assert await Rig(status(READY, FIGHT)).writes(status(READY, FIGHT)) == []
    told = await Rig(status(READY, FIGHT)).writes(status(READY, QUIET))
    assert [reason for _, reason, _ in told] == ["NoneFound"]


async def test_mode_expert_and_lead_time_are_told_when_they_change() -> None:
    rig = Rig()
    await rig.writes(status(READY, expert="reactive at 70%"), Mode.SHADOW)
    assert await rig.writes(status(READY, expert="harmonic at 77%", lead_time="3m20s"), Mode.ACTIVE) == [
        ("Normal", "ModeChanged", "spec.mode is Active, it was Shadow: KEDA gets the answer from now on"),
        ("Normal", "ExpertChanged", "harmonic at 77% answers, reactive at 70% did before: 3 % fewer replicas"),
        (
            "Normal",
            "LeadTimeChanged",
            "decisions use a lead time of 3m20s (Measured), it was 2m (Measured): of 20 start-ups",
        ),
    ]


async def test_a_policy_that_flaps_is_told_within_bounds_and_how_much_was_left_out() -> None:
    rig = Rig(status(QUIET))
    for number in range(30):
        await rig.writes(status(FIGHT if number % 2 == 0 else QUIET))
    assert len(rig.api.created) == 10
    rig.clock.seconds = 299.0
    await rig.writes(status(FIGHT))
    assert len(rig.api.created) == 10
    rig.clock.seconds = 301.0
    await rig.writes(status(QUIET))
    assert rig.api.created[10]["note"].endswith("acts on the target (21 before it were left out)")


async def test_one_policy_that_flaps_takes_nothing_from_another() -> None:
    rig = Rig(status(QUIET))
    for number in range(30):
        await rig.writes(status(FIGHT if number % 2 == 0 else QUIET))
    other = {"metadata": {**rig.document["metadata"], "name": "rerank", "uid": "b"}}
    await rig.teller.written(other, status(FIGHT), mode=Mode.ACTIVE, now=NOON)
    assert rig.api.created[-1]["regarding"]["name"] == "rerank"


async def test_no_secret_reaches_an_event_and_a_long_note_is_cut_to_what_is_taken() -> None:
    told = f"GET https://ana:hunter2@prometheus/api with Authorization: Bearer abcdef123456 {'é' * 2000}"
    rig = Rig()
    ((_, _, note),) = await rig.writes(status(("DataFresh", "False", "Unauthorized", told)))
    assert "hunter2" not in note
    assert "abcdef123456" not in note
    assert len(note.encode()) <= 1024


async def test_an_event_that_is_refused_costs_nothing_but_itself() -> None:
    rig = Rig(status(QUIET))
    rig.api.refuses = True
    await rig.writes(status(FIGHT))
    rig.api.refuses = False
    assert [reason for _, reason, _ in await rig.writes(status(QUIET))] == ["NoneFound"]


async def test_a_policy_that_was_made_anew_under_its_name_begins_anew() -> None:
    rig = Rig(status(QUIET))
    await rig.writes(status(QUIET))
    rig.document = {"metadata": {**rig.document["metadata"], "uid": "another"}}
    assert [reason for _, reason, _ in await rig.writes(status(FIGHT))] == ["TwoScalers"]


class Statuses:
    """Takes what is written."""

    async def write(self, name: tuple[str, str], written: Mapping[str, object]) -> None: ...


class Book:
    """One policy's picture, as a test says."""

    def __init__(self, picture: PolicySnapshot) -> None:
        self.picture = picture

    def newest(self) -> dict[PolicyKey, Decision | None]:
        return {self.picture.key: self.picture.decision}

    def brief(self, _: PolicyKey) -> PolicySnapshot:
        return self.picture


def in_conflict(picture: PolicySnapshot) -> PolicySnapshot:
    """Return it at a later decision, with another scaler on its target."""
    assert picture.decision is not None
    conflict = Condition("Conflict", True, "TwoScalers", HPA, NOON)
    decision = replace(picture.decision, at=picture.decision.at + timedelta(seconds=15))
    return replace(picture, decision=decision, conditions=(*picture.conditions, conflict))


class Writing(Rig):
    """A writer of statuses, whose Events are told."""

    def __init__(self) -> None:
        super().__init__()
        picture = InventedBook(SteppedClock(NOON)).snapshot(CHAT)
        assert picture is not None
        self.book, self.documents = Book(picture), Documents()
        self.documents.put(self.document)
        self.writer = StatusWriter(Statuses(), self.documents, self.teller)

    async def reasons(self) -> list[str]:
        """Let the writer look, and return what was told so far."""
        await self.writer.look(self.book, {}, NOON)
        return [reason for _, reason, _ in self.api.told()]


async def test_what_is_new_in_a_status_that_is_written_is_told() -> None:
    rig = Writing()
    assert await rig.reasons() == []
    rig.book.picture = in_conflict(rig.book.picture)
    assert await rig.reasons() == ["TwoScalers"]
    assert await rig.reasons() == ["TwoScalers"]


async def test_who_leads_again_does_not_tell_again_what_another_has_told_meanwhile() -> None:
    rig = Writing()
    await rig.reasons()
    rig.writer.forget()
    rig.book.picture = in_conflict(rig.book.picture)
    told = status_json(status_of(rig.book.picture, generation=1))
    rig.documents.put({"metadata": {**rig.document["metadata"], "resourceVersion": "8"}, "status": told})
    assert await rig.reasons() == []
