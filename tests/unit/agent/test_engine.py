from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from agent.due import next_due, phase_of
from agent.fitting.pool import FitJob
from agent.parts import Parts
from agent.sources.source import Reading, Sample, SignalState
from agent.surroundings import Conflict, Surroundings
from scalers.decision import Basis, Replicas
from scalers.jobs import JobsWanted
from scalers.keda.board import Answer
from scalers.policy import Bounds, Mode, PolicyKey, ScalingPolicy
from tests.fakes.engine import (
    START,
    STEP,
    GatedFits,
    KnownReplicas,
    LoadSource,
    LoopClock,
    NoPast,
    RecordingStore,
    ThreadNamingStore,
    assigned,
    counted,
    daily,
    level,
    never,
    parts,
    played,
    source_error,
)
from tests.fakes.situations import a_policy

CHAT, LLM = PolicyKey("ml", "chat"), PolicyKey("ml", "llm")


def minutely() -> dict[str, object]:
    """What makes a policy learn a daily load from little: a step of a minute, and models that find a day."""
    signal = replace(a_policy().signals[0], step=timedelta(minutes=1))
    return {
        "signals": (signal,),
        "models": ("harmonic",),
        "families": ("quantile-regression",),
        "history": timedelta(days=3),
    }


async def learned(agent: Parts, source: LoadSource) -> None:
    """Take up a policy over three days of a source's past, and fit."""
    await agent.engine.assign([assigned(source, **minutely())])
    (watched,) = agent.engine.watched
    for signal, _ in watched.pairs():
        await agent.backfiller.recent(signal, source, START - timedelta(minutes=1))
    await agent.engine.fit(START)


def test_a_tick_answers_keda() -> None:
    async def scenario() -> Answer:
        agent = parts()
        await agent.engine.assign([assigned(LoadSource(level(60.0)))])
        await agent.engine.tick(START)
        await agent.close()
        return agent.board.answer(CHAT)

    answer = played(scenario())
    assert (answer.replicas, answer.is_active, answer.at_zero) == (5.0, True, None)


def test_a_tick_answers_a_scaled_job_by_what_was_counted() -> None:
    async def scenario() -> Answer:
        agent = parts()
        await agent.engine.assign([assigned(LoadSource(level(30.0)), bounds=Bounds(20, 40))])
        await agent.engine.tick(START)
        await agent.close()
        return agent.board.answer(CHAT)

    answer = played(scenario())
    assert (answer.replicas, answer.jobs) == (20.0, JobsWanted(2.5, timedelta(seconds=45)))


def test_a_policy_is_refused_until_its_first_decision() -> None:
    async def scenario() -> tuple[Answer, bool]:
        agent = parts()
        await agent.engine.assign([assigned(LoadSource(level(60.0)))])
        await agent.close()
        return agent.board.answer(CHAT), agent.board.is_ready()

    answer, is_ready = played(scenario())
    assert (answer.replicas, is_ready) == (None, False)


def test_a_decision_is_in_the_store_before_it_is_on_the_board() -> None:
    async def scenario() -> list[str]:
        store = RecordingStore()
        agent = parts(store)
        await agent.engine.assign([assigned(LoadSource(lambda at: 60.0 + (at - START).total_seconds()))])
        agent.board.subscribe(CHAT, lambda: store.events.append("answered"))
        for tick in range(3):
            await agent.engine.tick(START + tick * timedelta(seconds=60))
        await agent.close()
        return store.events

    assert played(scenario())[:6] == ["stored", "answered"] * 3


def test_a_hung_source_ends_at_the_deadline_and_delays_nobody() -> None:
    async def scenario() -> tuple[float, float, Answer, str]:
        agent, loop = parts(), asyncio.get_running_loop()
        await agent.engine.assign([assigned(NoPast(never)), assigned(LoadSource(level(60.0)), name="llm")])
        answered: list[float] = []
        agent.board.subscribe(LLM, lambda: answered.append(loop.time()))
        await agent.engine.tick(START)
        ended = loop.time()
        await agent.close()
        (hung, _) = agent.engine.watched
        return answered[0], ended, agent.board.answer(LLM), hung.mends["demand"]

    answered, ended, answer, mend = played(scenario())
    assert (answered, ended) == (0.0, 10.0)
    assert answer.replicas == 5.0
    assert mend == "no answer within 10 s; look at the source's load and at the cost of the query"


def test_a_hung_source_holds_the_last_answer_and_is_refused_after_staleness_data() -> None:
    async def scenario() -> dict[int, float | None]:
        agent = parts()
        source = LoadSource(level(60.0))
        await agent.engine.assign([assigned(source)])
        await agent.engine.tick(START)
        source.latest = never  # type: ignore[method-assign]  # from now on it hangs
        answers = {}
        for seconds in (60, 600, 615):
            await agent.engine.tick(START + timedelta(seconds=seconds))
            answers[seconds] = agent.board.answer(CHAT).replicas
        await agent.close()
        return answers

    assert played(scenario()) == {60: 5.0, 600: 5.0, 615: None}


def test_an_agent_that_stops_deciding_is_refused_as_soon_as_its_data_are_too_old() -> None:
    async def scenario() -> list[float | None]:
        agent, clock = parts(), LoopClock()
        await agent.engine.assign([assigned(LoadSource(level(60.0)))])
        await agent.engine.tick(START)
        answers = []
        for seconds in (599, 601):
            await clock.sleep_until(START + timedelta(seconds=seconds))
            answers.append(agent.board.answer(CHAT).replicas)
        await agent.close()
        return answers

    assert played(scenario()) == [5.0, None]


def test_samples_that_cannot_be_are_counted_by_reason_and_hold_the_answer() -> None:
    async def scenario() -> tuple[list[float | None], list[float | None]]:
        agent = parts()
        values = iter([240.0, math.nan, -1.0, math.inf])

        async def latest(now: datetime) -> Reading:
            return Reading(Sample(now, next(values)), newest=now)

        await agent.engine.assign([assigned(NoPast(latest))])
        answers = []
        for tick in range(4):
            await agent.engine.tick(START + tick * STEP)
            answers.append(agent.board.answer(CHAT).replicas)
        await agent.close()
        labels = {"namespace": "ml", "policy": "chat"}
        name = "foretide_samples_dropped_total"
        return answers, [counted(agent.telemetry, name, **labels, reason=each) for each in ("not_finite", "negative")]

    answers, dropped = played(scenario())
    assert answers == [20.0] * 4
    assert dropped == [2.0, 1.0]


def test_a_source_that_could_not_be_opened_is_its_policys_condition_and_nobody_elses() -> None:
    async def scenario() -> tuple[Parts, Answer]:
        agent = parts()
        broken = source_error(SignalState.NOT_CONFIGURED)
        await agent.engine.assign([assigned(broken), assigned(LoadSource(level(60.0)), name="llm")])
        await agent.engine.tick(START)
        await agent.close()
        return agent, agent.board.answer(LLM)

    agent, answer = played(scenario())
    (chat, _) = agent.engine.watched
    fresh = next(each for each in chat.conditions if each.type == "DataFresh")
    assert (fresh.status, fresh.reason, fresh.message) == (
        False,
        "NotConfigured",
        "connection refused; start the server",
    )
    assert answer.replicas == 5.0


def test_replicas_that_are_known_reach_the_decision_and_the_answer() -> None:
    async def scenario() -> tuple[Answer, Replicas | None]:
        known = Replicas(0, 0)
        agent = parts(replicas=KnownReplicas({CHAT: known}))
        await agent.engine.assign([assigned(LoadSource(level(0.0)), bounds=Bounds(0, 40))])
        await agent.engine.tick(START)
        await agent.close()
        decision = agent.engine.watched[0].decider.decision
        assert decision is not None
        return agent.board.answer(CHAT), decision.replicas

    answer, seen = played(scenario())
    assert (answer.replicas, answer.is_active, answer.at_zero) == (0.0, False, True)
    assert seen == Replicas(0, 0)


class Onlooker:
    """Finds what a test says; remembers which need it was told."""

    def __init__(self) -> None:
        self.found: Surroundings | None = Surroundings((), ("ml/chat",))
        self.needs: list[float | None] = []

    def around(self, policy: ScalingPolicy, need: float | None) -> Surroundings | None:
        self.needs.append(need)
        return self.found


def test_on_a_conflict_the_raw_need_is_answered_and_afterwards_the_answer_again() -> None:
    async def scenario() -> tuple[list[float | None], list[bool | None], list[float | None]]:
        onlooker = Onlooker()
        agent = parts(onlooker=onlooker)
        source = LoadSource(level(60.0))
        await agent.engine.assign([assigned(source)])
        (watched,) = agent.engine.watched
        watched.decider.restore_answer(answer=20.0, at=START)
        answers, told = [], []
        for reasons in ((), ("TwoScalers",), ("MaxReplicasBelowPolicy",)):
            onlooker.found = Surroundings(
                tuple(Conflict(reason, "what", "the mend") for reason in reasons), ("ml/chat",)
            )
            await agent.engine.tick(START + len(answers) * STEP)
            answers.append(agent.board.answer(CHAT).replicas)
            told += [each.status for each in watched.conditions if each.type == "Conflict"]
        await agent.close()
        return answers, told, onlooker.needs

    answers, told, needs = played(scenario())
    assert answers == [20.0, 5.0, 20.0]
    assert told == [False, True, True]
    assert needs[1::2] == [5.0, 5.0, 5.0]


def test_the_kill_switch_works_from_the_next_tick_on() -> None:
    async def scenario() -> list[float | None]:
        switch = [False]
        agent = parts(is_reactive_only=lambda: switch[0])
        source = LoadSource(level(240.0))
        await agent.engine.assign([assigned(source)])
        await agent.engine.tick(START)
        source.demand = level(60.0)
        (watched,) = agent.engine.watched
        watched.decider.restore_answer(answer=20.0, at=START)
        answers = [agent.board.answer(CHAT).replicas]
        for is_on in (False, True, False):
            switch[0] = is_on
            await agent.engine.tick(START + len(answers) * STEP)
            answers.append(agent.board.answer(CHAT).replicas)
        await agent.close()
        return answers

    assert played(scenario()) == [20.0, 20.0, 5.0, 20.0]


def test_a_restart_never_answers_lower_than_the_last_answer() -> None:
    async def first_life(store: RecordingStore) -> None:
        agent = parts(store)
        await agent.engine.assign([assigned(LoadSource(level(240.0)))])
        await agent.engine.tick(START)
        agent.storing.close()  # killed: nothing is flushed

    async def second_life(store: RecordingStore) -> tuple[float | None, list[float | None]]:
        agent = parts(store)
        await agent.engine.assign([assigned(LoadSource(level(60.0)))])
        undecided = agent.board.answer(CHAT).replicas
        answers = []
        for seconds in (30, 45, 300, 315):
            now = START + timedelta(seconds=seconds)
            await agent.engine.fit(now)
            await agent.engine.tick(now)
            answers.append(agent.board.answer(CHAT).replicas)
        await agent.close()
        return undecided, answers

    store = RecordingStore()
    played(first_life(store))
    assert played(second_life(store)) == (None, [20.0, 20.0, 20.0, 5.0])


def test_a_restart_that_has_lost_its_models_never_answers_lower_while_it_learns_anew() -> None:
    async def life(store: RecordingStore, demand: float, ticks: range) -> list[tuple[Basis, float | None]]:
        agent = parts(store)
        await agent.engine.assign([assigned(LoadSource(level(demand)), models=("harmonic",))])
        made = []
        for tick in ticks:
            await agent.engine.tick(START + tick * STEP)
            await agent.engine.fit(START + tick * STEP)
            decision = agent.engine.watched[0].decider.decision
            assert decision is not None
            made.append((decision.basis, decision.answer))
        agent.storing.close()
        return made

    store = RecordingStore()
    before = played(life(store, 240.0, range(1)))
    after = played(life(store, 60.0, range(2, 12)))
    assert before[-1][1] == 20.0
    assert after == [(Basis.HELD, 20.0)] * 10


def test_a_restart_beside_a_hung_source_goes_on_holding() -> None:
    async def scenario() -> list[tuple[Basis, float | None]]:
        store = RecordingStore()
        agent = parts(store)
        await agent.engine.assign([assigned(LoadSource(level(240.0)))])
        await agent.engine.tick(START)
        await agent.engine.flush()
        agent.storing.close()
        restarted, made = parts(store), []
        await restarted.engine.assign([assigned(source_error())])
        (watched,) = restarted.engine.watched
        await restarted.backfiller.stored(watched.pairs()[0][0], START + timedelta(minutes=1))
        for minutes in (1, 10, 11):
            await restarted.engine.tick(START + timedelta(minutes=minutes))
            decision = watched.decider.decision
            assert decision is not None
            made.append((decision.basis, decision.for_keda))
        await restarted.close()
        return made

    assert played(scenario()) == [(Basis.HELD, 20.0), (Basis.HELD, 20.0), (Basis.REFUSED, None)]


def test_an_answer_older_than_staleness_data_is_not_taken_up() -> None:
    async def scenario() -> float | None:
        store = RecordingStore()
        agent = parts(store)
        await agent.engine.assign([assigned(LoadSource(level(240.0)))])
        await agent.engine.tick(START)
        agent.storing.close()
        await asyncio.sleep(601)
        late = parts(store)
        await late.engine.assign([assigned(LoadSource(level(60.0)))])
        await late.engine.tick(LoopClock().now())
        await late.close()
        return late.board.answer(CHAT).replicas

    assert played(scenario()) == 5.0


def test_a_restart_begins_with_what_the_experts_knew() -> None:
    async def scenario() -> tuple[float, float]:
        store, source = RecordingStore(), LoadSource(daily)
        agent = parts(store)
        await learned(agent, source)
        await agent.engine.tick(START)
        await agent.close()
        restarted = parts(store)
        await restarted.engine.assign([assigned(source, **minutely())])
        (watched,) = restarted.engine.watched
        await restarted.backfiller.stored(watched.pairs()[0][0], START)
        await restarted.engine.tick(START + timedelta(minutes=1))
        decision = watched.decider.decision
        assert decision is not None
        peak = decision.signals[0].peak
        assert peak is not None
        assert decision.basis is Basis.FORECAST
        await restarted.close()
        return peak.median, daily(START + timedelta(minutes=1))

    median, demand = played(scenario())
    assert abs(median - demand) < 1.0


def test_samples_are_stored_as_they_were_taken() -> None:
    async def scenario() -> list[float]:
        store = RecordingStore()
        agent = parts(store)
        await agent.engine.assign([assigned(LoadSource(lambda at: (at - START).total_seconds()))])
        for tick in range(4):
            await agent.engine.tick(START + tick * STEP)
        await agent.engine.flush()
        await agent.engine.flush()
        await agent.close()
        kept = store.load_samples("ml/chat/demand", since=START, step=STEP)
        return kept.values.tolist()

    assert played(scenario()) == [0.0, 15.0, 30.0, 45.0]


def test_a_fit_takes_nobodys_time_and_its_outcome_is_used_when_it_is_there() -> None:
    async def scenario() -> list[Basis]:
        fits = GatedFits()
        agent, source = parts(fits=fits), LoadSource(daily)
        seen: list[Basis] = []

        async def tick(minute: int) -> None:
            await agent.engine.tick(START + timedelta(minutes=minute))
            decision = agent.engine.watched[0].decider.decision
            assert decision is not None
            seen.append(decision.basis)

        fitting = asyncio.create_task(learned(agent, source))
        while not fits.batches:
            await asyncio.sleep(0)
        await tick(0)
        fits.gate.set()
        await fitting
        await tick(1)
        await agent.close()
        return seen

    assert played(scenario()) == [Basis.LEARNING, Basis.FORECAST]


def test_a_namespace_with_many_policies_holds_up_no_fit_of_another() -> None:
    async def scenario() -> Sequence[FitJob]:
        fits = GatedFits()
        agent, source = parts(fits=fits), LoadSource(daily)
        many = [assigned(source, name=f"p{number}", **minutely()) for number in range(20)]
        single = assigned(source, name="shop", **minutely())
        single = replace(single, policy=replace(single.policy, key=PolicyKey("web", "shop")))
        await agent.engine.assign([*many, single])
        for watched in agent.engine.watched:
            for signal, _ in watched.pairs():
                await agent.backfiller.recent(signal, source, START - timedelta(minutes=1))
        fitting = asyncio.create_task(agent.engine.fit(START))
        while not fits.batches:
            await asyncio.sleep(0)
        fitting.cancel()
        await agent.close()
        return fits.batches[0]

    names = [job.signal for job in played(scenario())]
    assert len(names) < 21  # not everybody's
    assert any(name.startswith("web/shop") for name in names)


def test_a_failed_fit_is_counted_and_the_raw_need_goes_on() -> None:
    async def scenario() -> tuple[float | None, float | None]:
        agent = parts()
        await agent.engine.assign([assigned(LoadSource(level(60.0)), models=("harmonic",))])
        for tick in range(9):
            await agent.engine.tick(START + tick * STEP)
        await agent.engine.fit(START + 9 * STEP)
        await agent.close()
        name = "foretide_fits_total"
        return counted(agent.telemetry, name, model="harmonic", outcome="needs_history"), agent.board.answer(
            CHAT
        ).replicas

    assert played(scenario()) == (1.0, 5.0)


def test_an_assignment_leaves_policies_that_have_not_changed_undisturbed() -> None:
    async def scenario() -> list[bool]:
        agent, source = parts(), LoadSource(level(60.0))
        await agent.engine.assign([assigned(source), assigned(source, name="llm")])
        await agent.engine.tick(START)
        before = agent.engine.watched
        await agent.engine.assign([assigned(source), assigned(source, name="llm", bounds=Bounds(2, 9))])
        after = agent.engine.watched
        await agent.close()
        return [now is then for now, then in zip(after, before, strict=True)]

    assert played(scenario()) == [True, False]


def test_a_changed_policy_keeps_its_answer_and_what_its_experts_knew() -> None:
    async def scenario() -> tuple[float | None, bool]:
        agent, source = parts(), LoadSource(daily)
        await learned(agent, source)
        await agent.engine.tick(START)
        before = agent.board.answer(CHAT).replicas
        await agent.engine.assign([assigned(source, **minutely(), bounds=Bounds(1, 100))])
        kept = agent.board.answer(CHAT).replicas
        (watched,) = agent.engine.watched
        is_ready = bool(watched.decider.signals["demand"].experts["harmonic"].stored())
        assert before is not None
        await agent.close()
        return kept if kept == before else None, is_ready

    answer, is_ready = played(scenario())
    assert answer is not None
    assert is_ready


def test_a_changed_policy_keeps_the_samples_of_the_last_moment() -> None:
    async def scenario() -> int:
        agent, source = parts(), LoadSource(level(60.0))
        await agent.engine.assign([assigned(source)])
        await agent.engine.tick(START)
        await agent.engine.assign([assigned(source, bounds=Bounds(2, 9))])
        signal, _ = agent.engine.watched[0].pairs()[0]
        await agent.backfiller.stored(signal, START)
        await agent.close()
        return signal.history.fine().present

    assert played(scenario()) == 1


def test_a_changed_query_keeps_the_answer_and_starts_a_history_of_its_own() -> None:
    async def scenario() -> tuple[int, float | None]:
        agent, plain = parts(), a_policy().signals[0]
        await agent.engine.assign([assigned(LoadSource(level(240.0)), signals=(replace(plain, meaning="old"),))])
        await agent.engine.tick(START)
        await agent.engine.assign([assigned(LoadSource(level(60.0)), signals=(replace(plain, meaning="new"),))])
        signal, _ = agent.engine.watched[0].pairs()[0]
        await agent.backfiller.stored(signal, START)
        known = signal.history.fine().present
        await agent.engine.tick(START + STEP)
        await agent.close()
        return known, agent.board.answer(CHAT).replicas

    assert played(scenario()) == (0, 20.0)


def test_a_mended_query_is_asked_anew_for_its_past_too() -> None:
    async def scenario() -> tuple[bool, Answer]:
        agent = parts()
        await agent.engine.assign([assigned(source_error(SignalState.BAD_QUERY), document={"query": "sum(rate("})])
        (before,) = agent.engine.watched
        await agent.engine.tick(START)
        await agent.engine.assign([assigned(LoadSource(level(60.0)), document={"query": "sum(rate(x[1m]))"})])
        (after,) = agent.engine.watched
        await agent.engine.tick(START + STEP)
        await agent.close()
        return after is before, agent.board.answer(CHAT)

    is_same, answer = played(scenario())
    assert not is_same
    assert answer.replicas == 5.0


def test_a_policy_that_is_gone_is_unknown_and_leaves_no_series_behind() -> None:
    async def scenario() -> tuple[bool, float | None]:
        agent, source = parts(), LoadSource(level(60.0))
        await agent.engine.assign([assigned(source), assigned(source, name="llm")])
        await agent.engine.tick(START)
        await agent.engine.assign([assigned(source, name="llm")])
        await agent.engine.tick(START + STEP)
        await agent.close()
        known = [watched.key for watched in agent.engine.watched]
        gauge = counted(agent.telemetry, "foretide_answer_replicas", namespace="ml", policy="chat")
        return known == [LLM], gauge

    assert played(scenario()) == (True, None)


def test_a_policy_that_is_dropped_during_its_tick_is_not_answered_any_more() -> None:
    async def scenario() -> list[PolicyKey]:
        agent = parts()
        await agent.engine.assign([assigned(NoPast(never))])
        ticking = asyncio.create_task(agent.engine.tick(START))
        await asyncio.sleep(1)
        await agent.engine.assign([])
        await ticking
        await agent.close()
        return [key for key in (CHAT,) if _is_known(agent, key)]

    assert played(scenario()) == []


def _is_known(agent: Parts, key: PolicyKey) -> bool:
    try:
        agent.board.answer(key)
    except LookupError:
        return False
    return True


def test_a_store_that_hangs_costs_durability_and_never_an_answer() -> None:
    release = threading.Event()

    class HungStore(RecordingStore):
        def put_decision(self, *rows: object) -> None:
            release.wait()

    async def scenario() -> tuple[float | None, float, float | None]:
        loop = asyncio.get_running_loop()
        loop.selector.patience = 0.02  # type: ignore[attr-defined]  # a jumping loop's
        agent = parts(HungStore())
        await agent.engine.assign([assigned(LoadSource(level(60.0)))])
        await agent.engine.tick(START)
        answer, took = agent.board.answer(CHAT).replicas, loop.time()
        release.set()
        await agent.close()
        return answer, took, counted(agent.telemetry, "foretide_store_errors_total", operation="put_decision")

    answer, took, failures = played(scenario())
    assert (answer, failures) == (5.0, 1.0)
    assert took <= 2.1


def test_a_store_that_hangs_does_not_keep_a_new_policy_from_deciding() -> None:
    release = threading.Event()

    class HungStore(RecordingStore):
        def states(self, owner: str) -> dict[str, bytes]:
            release.wait()
            return super().states(owner)

    async def scenario() -> float | None:
        asyncio.get_running_loop().selector.patience = 0.02  # type: ignore[attr-defined]  # a jumping loop's
        agent = parts(HungStore())
        await agent.engine.assign([assigned(LoadSource(level(60.0)))])
        await agent.engine.tick(START)
        release.set()
        await agent.close()
        return agent.board.answer(CHAT).replicas

    assert played(scenario()) == 5.0


def test_the_store_is_used_in_its_own_thread_only() -> None:
    async def scenario() -> set[str]:
        store = ThreadNamingStore()
        agent, source = parts(store), LoadSource(level(60.0))
        await agent.engine.assign([assigned(source)])
        await agent.engine.tick(START)
        await agent.engine.flush()
        await agent.engine.checkpoint()
        await agent.engine.forget(START)
        await agent.book.decisions(CHAT, since=START, until=START, limit=1)
        await agent.backfiller.stored(agent.engine.watched[0].pairs()[0][0], START)
        await agent.engine.assign([assigned(source, bounds=Bounds(2, 9))])
        await agent.close()
        return store.threads

    assert played(scenario()) == {"store_0"}


def test_what_went_wrong_with_the_store_is_counted_once() -> None:
    class NotingStore(RecordingStore):
        def notes(self) -> tuple[str, ...]:
            return ("disk full; what is new is kept in memory only",)

    async def scenario() -> float | None:
        agent = parts(NotingStore())
        await agent.engine.flush()
        await agent.engine.flush()
        await agent.close()
        return counted(agent.telemetry, "foretide_store_errors_total", operation="open")

    assert played(scenario()) == 1.0


def test_old_samples_and_decisions_are_forgotten_after_the_policys_history() -> None:
    async def scenario() -> tuple[int, int]:
        store = RecordingStore()
        agent = parts(store)
        source = LoadSource(level(60.0))
        await agent.engine.assign([assigned(source, history=timedelta(hours=1))])
        for hours in (0, 1, 2):
            await agent.engine.tick(START + timedelta(hours=hours))
        await agent.engine.flush()
        await agent.engine.forget(START + timedelta(hours=2, minutes=30))
        kept = store.load_samples("ml/chat/demand", since=START, step=STEP)
        rows = store.decisions("ml/chat", since=START, until=START + timedelta(days=1), limit=10)
        await agent.close()
        return kept.present, len(rows)

    assert played(scenario()) == (1, 1)


def test_in_shadow_keda_gets_the_raw_need_and_the_record_has_both() -> None:
    async def scenario() -> tuple[float | None, float | None]:
        agent, source = parts(), LoadSource(level(60.0))
        await agent.engine.assign([assigned(source, mode=Mode.SHADOW)])
        (watched,) = agent.engine.watched
        watched.decider.restore_answer(answer=20.0, at=START)
        await agent.engine.tick(START)
        await agent.close()
        assert watched.decider.decision is not None
        return agent.board.answer(CHAT).replicas, watched.decider.decision.answer

    assert played(scenario()) == (5.0, 20.0)


def test_policies_are_asked_spread_over_a_fifth_of_their_step() -> None:
    phases = [phase_of(a_policy(key=PolicyKey("ml", f"policy-{i}"))) for i in range(300)]
    assert all(timedelta(0) <= phase < timedelta(seconds=3) for phase in phases)
    assert {sum(phase // timedelta(seconds=1) == second for phase in phases) > 60 for second in range(3)} == {True}
    assert phases[7] == phase_of(a_policy(key=PolicyKey("ml", "policy-7")))


def test_a_policy_is_decided_at_the_grid_points_of_its_finest_signal() -> None:
    plain = a_policy().signals[0]
    policy = a_policy(signals=(plain, replace(plain, name="slow", step=timedelta(minutes=5))))
    at: Callable[[float], datetime] = lambda seconds: START + timedelta(seconds=seconds)  # noqa: E731 - a test's short form
    assert [next_due(policy, at(seconds)) for seconds in (-0.5, 0, 14.9, 15)] == [at(0), at(15), at(15), at(30)]
