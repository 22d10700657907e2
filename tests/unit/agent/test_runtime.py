from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import NoReturn

import pytest

from agent.due import phase_of
from agent.parts import Parts
from agent.runtime import Agent, Servers
from agent.sources.source import RangeSource, Reading
from agent.web.server import CannotListen
from scalers.keda.board import Answer
from scalers.policy import Bounds, PolicyKey
from tests.fakes.engine import (
    START,
    STEP,
    LoadSource,
    LoopClock,
    NoPast,
    RecordingStore,
    ScriptedPolicies,
    assigned,
    counted,
    level,
    never,
    parts,
    played,
    source_error,
)

CHAT, LLM = PolicyKey("ml", "chat"), PolicyKey("ml", "llm")


class KedaStub:
    """A gRPC server's life without a server."""

    def __init__(self, events: list[str]) -> None:
        self._events = events
        self.ended: Future[None] = Future()

    def start(self, address: str) -> int:
        self._events.append(f"grpc on {address}")
        return 6000

    def stop(self, grace: timedelta) -> None:
        self._events.append("grpc stopped")


class HttpStub:
    """An HTTP server's life without a server."""

    def __init__(self, events: list[str]) -> None:
        self._events = events
        self.trouble: Exception | None = None

    def bind(self) -> None:
        if self.trouble is not None:
            raise self.trouble

    async def serve(self) -> None:
        self._events.append("http")
        await asyncio.Event().wait()


class WatchStub:
    """Says when the certificate is looked at."""

    def __init__(self, events: list[str]) -> None:
        self._events = events

    def begin(self) -> None:
        self._events.append("certificate told")

    async def look(self) -> None:
        self._events.append("certificate looked at")


class SetDuty:
    """Who decides, as the test says."""

    every = timedelta(seconds=0.5)

    def __init__(self, *, decides: bool) -> None:
        self.decides = decides
        self.events: list[str] = []

    async def begin(self, port: int) -> None:
        self.events.append(f"stands with port {port}")

    def may_decide(self) -> bool:
        return self.decides

    def must_rest(self) -> bool:
        return not self.decides

    def look(self, *, is_deciding: bool) -> None: ...

    async def run(self) -> NoReturn:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    async def hand_over(self) -> None:
        self.events.append("handed over")


class Stage:
    """An agent with everything but its servers real, on simulated time."""

    def __init__(
        self,
        policies: ScriptedPolicies,
        *,
        keeps_days: bool = False,
        has_tls: bool = False,
        duty: SetDuty | None = None,
    ) -> None:
        self.events: list[str] = []
        self.store = RecordingStore()
        self.duty = duty
        self.parts: Parts = parts(self.store, may_decide=lambda: duty is None or duty.decides)
        if duty is not None:
            duty.events = self.events
        self.keda, self.http = KedaStub(self.events), HttpStub(self.events)
        self.policies = policies
        self.agent = Agent(
            self.parts,
            policies=policies,
            servers=Servers(
                self.keda,  # type: ignore[arg-type]  # stubs of what listens
                "127.0.0.1:6000",
                self.http,  # type: ignore[arg-type]
                WatchStub(self.events) if has_tls else None,  # type: ignore[arg-type]
            ),
            keeps_days=keeps_days,
            duty=duty,
        )

    async def run(self, play: Callable[[Stage], Awaitable[None]]) -> None:
        """Run the agent, play a scene beside it, and stop it."""
        stop = asyncio.Event()
        running, playing = asyncio.create_task(self.agent.run(stop)), asyncio.ensure_future(play(self))
        await asyncio.wait([running, playing], return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await running
        await playing

    def answer(self, key: PolicyKey = CHAT) -> float | None:
        return self.parts.board.answer(key).replicas

    async def at(self, seconds: float) -> None:
        await LoopClock().sleep_until(START + timedelta(seconds=seconds))


def staged(stage: Callable[[], Stage], play: Callable[[Stage], Awaitable[None]]) -> Stage:
    async def scenario() -> Stage:
        made = stage()
        await made.run(play)
        return made

    return played(scenario())


def test_the_agent_decides_at_once_and_then_at_every_grid_point() -> None:
    source = LoadSource(level(60.0))

    async def play(stage: Stage) -> None:
        await stage.at(1)
        assert stage.answer() == 5.0
        await stage.at(63)

    staged(lambda: Stage(ScriptedPolicies([assigned(source)])), play)
    assert source.asked == [START + i * STEP for i in range(5)]


def test_it_serves_before_any_source_has_answered() -> None:
    async def play(stage: Stage) -> None:
        await stage.at(0.5)
        assert stage.events == ["grpc on 127.0.0.1:6000", "http"]
        assert stage.answer() is None

    staged(lambda: Stage(ScriptedPolicies([assigned(NoPast(never))])), play)


def test_it_decides_when_it_is_its_turn_and_for_as_long_as_it_is() -> None:
    source, duty = LoadSource(level(60.0)), SetDuty(decides=False)

    async def play(stage: Stage) -> None:
        await stage.at(40)
        assert source.asked == []
        duty.decides = True
        await stage.at(41)
        assert stage.answer() == 5.0
        asked = len(source.asked)
        duty.decides = False
        await stage.at(100)
        assert len(source.asked) == asked
        assert stage.answer() == 5.0, "what was answered stands until another is heard"

    staged(lambda: Stage(ScriptedPolicies([assigned(source)]), duty=duty), play)


def test_one_that_ends_hands_over_while_it_still_answers() -> None:
    async def play(stage: Stage) -> None:
        await stage.at(1)

    duty = SetDuty(decides=True)
    stage = staged(lambda: Stage(ScriptedPolicies([assigned(LoadSource(level(60.0)))]), duty=duty), play)
    assert stage.events == ["grpc on 127.0.0.1:6000", "stands with port 6000", "http", "handed over", "grpc stopped"]
    assert stage.store.states("ml/chat/demand"), "with what its models know stored before that"


def test_the_certificate_is_looked_at_every_5_s() -> None:
    async def play(stage: Stage) -> None:
        await stage.at(11)
        assert stage.events == [
            "grpc on 127.0.0.1:6000",
            "certificate told",
            "http",
            "certificate looked at",
            "certificate looked at",
        ]

    staged(lambda: Stage(ScriptedPolicies([]), has_tls=True), play)


def test_a_hung_source_delays_no_other_policy() -> None:
    good = LoadSource(level(60.0))

    async def play(stage: Stage) -> None:
        await stage.at(303)

    staged(lambda: Stage(ScriptedPolicies([assigned(NoPast(never)), assigned(good, name="llm")])), play)
    assert len(good.asked) == 21
    assert good.asked[-1] == START + timedelta(minutes=5)


def test_policies_are_added_changed_and_removed_while_the_agent_runs() -> None:
    chat, llm = assigned(LoadSource(level(60.0))), assigned(LoadSource(level(120.0)), name="llm")
    wider = assigned(LoadSource(level(60.0)), bounds=Bounds(8, 40))

    async def play(stage: Stage) -> None:
        await stage.at(2)
        stage.policies.now = [chat, llm]
        await stage.at(8)
        assert (stage.answer(), stage.answer(LLM)) == (5.0, 10.0)
        stage.policies.now = [wider, llm]
        await stage.at(12)
        assert (stage.answer(), stage.answer(LLM)) == (8.0, 10.0)
        stage.policies.now, stage.policies.refused = [llm], {wider.policy.key: "1 policy is acted on"}
        await stage.at(18)
        with pytest.raises(LookupError, match="not acted on: 1 policy is acted on"):
            stage.answer()
        assert stage.answer(LLM) == 10.0

    staged(lambda: Stage(ScriptedPolicies([chat])), play)


def test_a_source_of_a_policy_that_is_gone_is_not_asked_any_more() -> None:
    gone, kept = LoadSource(level(60.0)), LoadSource(level(60.0))

    async def play(stage: Stage) -> None:
        await stage.at(2)
        stage.policies.now = [assigned(kept, name="llm")]
        await stage.at(6)
        asked = len(gone.asked)
        await stage.at(120)
        assert len(gone.asked) == asked
        assert len(kept.asked) >= 8

    staged(lambda: Stage(ScriptedPolicies([assigned(gone)])), play)


def test_a_mended_source_is_asked_for_its_past() -> None:
    async def play(stage: Stage) -> None:
        await stage.at(2)
        stage.policies.now = [assigned(LoadSource(level(60.0)), document={"query": "mended"})]
        await stage.at(8)
        (signal, _) = stage.parts.engine.watched[0].pairs()[0]
        assert signal.history.span() >= timedelta(days=13)

    staged(lambda: Stage(ScriptedPolicies([assigned(source_error(), document={"query": "wrong"})])), play)


def test_an_edited_policy_keeps_the_samples_it_has_seen() -> None:
    async def latest(now: datetime) -> Reading:
        return await LoadSource(level(60.0)).latest(now)

    async def play(stage: Stage) -> None:
        await stage.at(121)
        stage.policies.now = [assigned(NoPast(latest), bounds=Bounds(2, 40))]
        await stage.at(128)
        (signal, _) = stage.parts.engine.watched[0].pairs()[0]
        assert signal.history.fine().present == 9

    staged(lambda: Stage(ScriptedPolicies([assigned(NoPast(latest))])), play)


def test_a_defect_in_a_source_is_logged_and_counted_and_the_loop_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    asked = []

    async def latest(now: datetime) -> Reading:
        asked.append(now)
        if len(asked) == 2:
            raise ZeroDivisionError("a defect")
        return await LoadSource(level(60.0)).latest(now)

    async def play(stage: Stage) -> None:
        await stage.at(61)
        assert counted(stage.parts.telemetry, "foretide_loop_failures_total") == 1.0
        assert stage.answer() == 5.0

    staged(lambda: Stage(ScriptedPolicies([assigned(NoPast(latest))])), play)
    assert len(asked) >= 5
    assert "loop_failed" in capsys.readouterr().out


def test_a_defect_in_reading_a_past_costs_that_past_only() -> None:
    class Broken(LoadSource):
        async def range(self, start: datetime, end: datetime, step: timedelta) -> object:  # type: ignore[override]
            raise ZeroDivisionError("a defect")

    async def play(stage: Stage) -> None:
        await stage.at(61)
        assert stage.answer() == 5.0
        assert counted(stage.parts.telemetry, "foretide_loop_failures_total") == 1.0

    staged(lambda: Stage(ScriptedPolicies([assigned(Broken(level(60.0)))])), play)


def test_a_broken_look_at_the_policies_is_named_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    policies = ScriptedPolicies([assigned(LoadSource(level(60.0)))])
    policies.trouble = PermissionError("policies")

    async def play(stage: Stage) -> None:
        await stage.at(6)

    staged(lambda: Stage(policies), play)
    assert "loop=policies" in capsys.readouterr().out


def test_stopping_ends_the_streams_first_and_stores_what_is_left() -> None:
    policy = assigned(NoPast(LoadSource(level(60.0)).latest))

    async def play(stage: Stage) -> None:
        phase = phase_of(policy.policy)
        await stage.at(135.01 + phase.total_seconds())  # the last sample is not flushed yet

    stage = staged(lambda: Stage(ScriptedPolicies([policy])), play)
    assert stage.events[-1] == "grpc stopped"
    kept = stage.store.load_samples("ml/chat/demand", since=START, step=STEP)
    assert kept.values.tolist() == [60.0] * 10
    assert set(stage.store.states("ml/chat/demand")) >= {"peaks/contest"}
    assert stage.store.is_closed
    assert stage.policies.is_closed


def test_an_address_that_is_taken_is_told_as_such_and_everything_is_closed() -> None:
    async def scenario() -> Stage:
        stage = Stage(ScriptedPolicies([assigned(LoadSource(level(60.0)))]))
        stage.http.trouble = CannotListen("HTTP address 127.0.0.1:8080: port 8080 is taken")
        with pytest.raises(CannotListen, match="8080 is taken"):
            await stage.agent.run(asyncio.Event())
        return stage

    assert played(scenario()).store.is_closed


def test_policies_that_are_wrong_at_start_end_the_agent_with_what_is_wrong() -> None:
    async def scenario() -> Stage:
        stage = Stage(ScriptedPolicies([]))
        stage.policies.trouble = ValueError("spec.risk must be below 50%")
        with pytest.raises(ValueError, match="must be below 50%"):
            await stage.agent.run(asyncio.Event())
        return stage

    stage = played(scenario())
    assert stage.store.is_closed
    assert stage.events == ["grpc stopped"]


def test_a_server_that_ends_by_itself_ends_the_process() -> None:
    async def scenario() -> Stage:
        stage = Stage(ScriptedPolicies([assigned(LoadSource(level(60.0)))]))

        async def fail() -> None:
            await stage.at(5)
            stage.keda.ended.set_result(None)

        failing = asyncio.create_task(fail())
        with pytest.raises(ExceptionGroup) as raised:
            await stage.agent.run(asyncio.Event())
        await failing
        assert "the gRPC server has ended by itself" in str(raised.value.exceptions)
        return stage

    assert played(scenario()).store.is_closed


def test_with_a_store_on_disk_the_whole_history_is_kept_at_the_policys_own_step() -> None:
    source = LoadSource(level(60.0))

    async def play(stage: Stage) -> None:
        await stage.at(30)

    stage = staged(
        lambda: Stage(ScriptedPolicies([assigned(source, history=timedelta(days=1))]), keeps_days=True), play
    )
    kept = stage.store.load_samples("ml/chat/demand", since=START - timedelta(days=2), step=STEP)
    assert kept.start == START - timedelta(days=1)
    assert kept.present == len(kept) == 5762  # 5,760 steps of a day, both ends, and one live sample


def test_only_a_source_with_ranges_has_a_past() -> None:
    assert isinstance(LoadSource(level(1.0)), RangeSource)
    assert not isinstance(NoPast(never), RangeSource)


def test_answers_are_told_to_whoever_listens() -> None:
    async def play(stage: Stage) -> None:
        await stage.at(1)
        told: list[Answer] = []
        stage.parts.board.subscribe(CHAT, lambda: told.append(stage.parts.board.answer(CHAT)))
        await stage.at(61)
        assert [round(each.replicas or 0) for each in told] == [6, 8, 9, 10]

    def demand(at: datetime) -> float:
        return 60.0 + (at - START).total_seconds()

    staged(lambda: Stage(ScriptedPolicies([assigned(LoadSource(demand))])), play)
