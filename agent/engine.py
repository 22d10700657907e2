"""Observe, forecast, recommend, publish: each policy in its own task, none waiting for another's source.

Of several agents one decides; the others take up what it tells them, and begin with it when it is their turn.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from agent.board import Board
from agent.clock import Clock
from agent.conditions import conditions
from agent.decider import Decider
from agent.fitting.pool import FitFailed, FitPool, Job
from agent.fitting.turns import Turns
from agent.history.grid import Taken
from agent.history.store import StoredSample
from agent.keeping import Keeper
from agent.log import logger
from agent.reading import read
from agent.signal import Signal
from agent.sizing import PolicySizing
from agent.sources.source import Source, SourceError
from agent.surroundings import NoOnlooker, Onlooker
from agent.telemetry import Telemetry
from agent.told import Audience, NoAudience, Told
from agent.watched import Assignment, ReplicaSource, Watched
from forecasters.forecaster import Forecaster
from scalers.decision import Decision
from scalers.jobs import jobs_wanted
from scalers.keda.board import Answer
from scalers.policy import PolicyKey, ScalingPolicy

# A walk takes 6 s of a core, and fits are niced below all else that a node runs: a node with a tenth of one to spare.
_FIT_DEADLINE = timedelta(minutes=3)
# What waits for a fit meanwhile goes on with what it has; small batches let new policies in soon.
_FITS_AT_ONCE = 16
# An answer outlives the decision loop by at least this much, so that one slow tick refuses nothing.
_LEAST_VALID = timedelta(minutes=1)


class Engine:
    """Runs the policies. Reads, decides and publishes on one loop; the store has a thread, fits have processes."""

    def __init__(
        self,
        *,
        clock: Clock,
        forecasters: Mapping[str, Forecaster],
        keeper: Keeper,
        board: Board,
        fits: FitPool,
        telemetry: Telemetry,
        replicas: ReplicaSource,
        is_reactive_only: Callable[[], bool],
        may_decide: Callable[[], bool] = lambda: True,
        audience: Audience | None = None,
        onlooker: Onlooker | None = None,
    ) -> None:
        """Prepare to decide, at once: an agent that may not yet is told to `rest`.

        `may_decide` is asked before each decision and again before it is published: time may have passed unseen.
        """
        self._clock = clock
        self._forecasters = forecasters
        self._keeper = keeper
        self._board = board
        self._fits = fits
        self._turns = Turns()
        self._telemetry = telemetry
        self._replicas = replicas
        self._is_reactive_only = is_reactive_only
        self._may_decide = may_decide
        self._audience = audience or NoAudience()
        self._onlooker = onlooker or NoOnlooker()
        self._is_resting = False
        self._changing = asyncio.Lock()  # of what is watched
        self._watched: dict[PolicyKey, Watched] = {}
        self._log = logger("engine")

    @property
    def watched(self) -> tuple[Watched, ...]:
        """Every policy at work, by namespace and name."""
        return tuple(self._watched[key] for key in sorted(self._watched))

    def at_work(self, key: PolicyKey) -> Watched | None:
        """Return one policy at work."""
        return self._watched.get(key)

    @property
    def is_resting(self) -> bool:
        """Whether another agent decides."""
        return self._is_resting

    def rest(self) -> None:
        """Decide nothing from now on; answers stand, and those that are heard take their place."""
        self._is_resting = True
        self._keeper.forget(self._watched)

    async def take_over(self) -> None:
        """Decide from now on, as after a restart: with what the store has. Answers stand until the first decision."""
        async with self._changing:
            self._keeper.drop(self._watched)
            for watched in self.watched:
                await self._take_up(watched.assignment)
            self._is_resting = False

    def heard(self, told: Told) -> None:
        """Take up an answer of the agent that decides; one for a policy that is not known here yet waits for it."""
        if not self._is_resting:
            return
        self._audience.published(told)
        if (watched := self._watched.get(told.key)) is not None:
            self._show(watched, told)

    async def assign(self, assignments: Iterable[Assignment]) -> None:
        """Work on these policies from now on; one whose document has not changed goes on undisturbed."""
        wanted = {assignment.policy.key: assignment for assignment in assignments}
        async with self._changing:
            for key in self._watched.keys() - wanted.keys():
                self._drop(key)
            for key, assignment in wanted.items():
                current = self._watched.get(key)
                if current is None or not current.assignment.is_same(assignment):
                    await self._take_up(assignment)
                else:
                    current.assignment = assignment

    async def tick(self, now: datetime) -> None:
        """Make one decision for every policy, whatever its step."""
        await asyncio.gather(*(self.tick_policy(watched, now) for watched in self.watched))

    async def tick_policy(self, watched: Watched, now: datetime) -> None:
        """Read a policy's signals, decide and publish, if this agent may."""
        if not self._is_on_duty():
            return
        is_learning = bool(watched.sizing) and self._replicas.observed(watched.key) is not None
        # what an answer does not need does not delay it
        await asyncio.gather(self._decide(watched, now), *([watched.sizing.ask(now)] if is_learning else []))
        if watched.sizing and self._watched.get(watched.key) is watched and self._is_on_duty():
            await self._learn(watched, now)

    async def _decide(self, watched: Watched, now: datetime) -> None:
        await asyncio.gather(*(self._read(watched, signal, source, now) for signal, source in watched.pairs()))
        replicas = self._replicas.observed(watched.key)
        around = self._onlooker.around(watched.decider.policy, None)
        decision = watched.decider.decide(
            now,
            replicas=replicas,
            is_reactive_only=self._is_reactive_only(),
            is_in_conflict=around is not None and around.is_fight,
        )
        await self._publish(watched, decision)

    async def _learn(self, watched: Watched, now: datetime) -> None:
        """Learn from what was seen; a capacity that is taken up is kept at once, for records are made anew with it."""
        known = {name: signal.input() for name, signal in watched.decider.signals.items()}
        taken = watched.sizing.learn(now, known, self._replicas.observed(watched.key))
        for name, learned in taken.items():
            watched.decider.take_capacity(name, learned)
        if taken:
            await self._keeper.keep_capacity(watched)

    async def fit(self, now: datetime, *, deadline: timedelta = _FIT_DEADLINE) -> None:
        """Run some of the fits that are due, a batch at a time, and take in what they found by the deadline.

        Namespaces take turns: one with many policies does not hold up another's.
        """
        if self._is_resting:
            return
        jobs: list[tuple[Watched, Job]] = []
        for watched in (self._watched[key] for key in self._turns.order(self._watched)):
            if len(jobs) >= _FITS_AT_ONCE:
                break
            jobs += [(watched, job) for job in watched.decider.jobs(now)]
        if not jobs:
            return
        self._turns.taken({watched.key for watched, _ in jobs})
        outcomes = await self._fits.fit([job for _, job in jobs], deadline)
        for (watched, _), outcome in zip(jobs, outcomes, strict=True):
            watched.decider.accept(outcome, now)
            self._telemetry.work.fit_finished(watched.key, outcome)
            if isinstance(outcome, FitFailed):
                log = self._log.debug if outcome.needs_history else self._log.warning
                log("fit_failed", signal=outcome.signal, model=outcome.model, reason=outcome.reason)

    async def flush(self) -> None:
        """Store the samples taken in since the last flush."""
        await self._keeper.flush()

    async def checkpoint(self) -> None:
        """Store what the experts know, so that a restart begins with it."""
        if self._is_resting:
            return  # they know nothing: what is in the store is another's
        for watched in self.watched:
            await self._keeper.keep(watched)

    async def forget(self, now: datetime) -> None:
        """Drop what is older than each policy's history from the store."""
        for watched in self.watched:
            await self._keeper.expire(watched, now)

    async def close(self) -> None:
        """Store what is left."""
        await self.flush()
        await self.checkpoint()
        await self._keeper.close()

    async def _take_up(self, assignment: Assignment) -> None:
        key = assignment.policy.key
        before = self._watched.get(key)
        if before is not None and not self._is_resting:
            await self._keeper.keep(before)
            await self.flush()
            self._telemetry.forget(key)
        sizing = PolicySizing(key, assignment.policy.signals, assignment.learning)
        watched = Watched(assignment, Decider(assignment.policy, self._forecasters), sizing)
        if before is not None and self._is_resting:  # what people are shown, until there is something newer
            watched.decider.decision, watched.conditions = before.decider.decision, before.conditions
        self._board.register(key)
        await self._keeper.restore(watched)
        self._watched[key] = watched
        if before is None and self._is_resting and (told := self._audience.newest(key)) is not None:
            self._show(watched, told)
        self._log.info("policy_taken_up", policy=str(key), mode=str(assignment.policy.mode))

    def _drop(self, key: PolicyKey) -> None:
        del self._watched[key]
        self._board.remove(key)
        self._keeper.drop([key])
        self._audience.dropped(key)
        self._telemetry.forget(key)
        self._log.info("policy_dropped", policy=str(key))

    async def _read(self, watched: Watched, signal: Signal, source: Source | SourceError, now: datetime) -> None:
        name, began = signal.policy.name, time.perf_counter()
        try:
            reading = await read(source, now, step=signal.policy.step)
        except SourceError as error:
            signal.missed(error)
            watched.mends[name] = f"{error}; {error.mend}"
            seconds = None if isinstance(source, SourceError) else time.perf_counter() - began
            self._telemetry.work.source_failed(watched.key, error.state, seconds=seconds)
            return
        watched.mends.pop(name, None)
        watched.warnings[name] = reading.warnings
        self._telemetry.work.source_read(
            watched.key, seconds=time.perf_counter() - began, warnings=len(reading.warnings)
        )
        taken = signal.observe(reading, now)
        if taken is Taken.ACCEPTED:
            self._keeper.take(StoredSample(signal.stored_as, reading.sample.at, reading.sample.value))
        elif taken is not Taken.DUPLICATE:
            self._telemetry.work.sample_dropped(watched.key, str(taken))

    async def _publish(self, watched: Watched, decision: Decision) -> None:
        """Make the decision durable, then public: KEDA never has an answer that a restart would forget."""
        if not self._is_on_duty():
            return  # another agent may have begun since this one did
        await self._keeper.record(decision)
        if self._watched.get(watched.key) is not watched or not self._is_on_duty():
            return  # dropped or changed meanwhile, or not for this agent to say any more
        policy = watched.decider.policy
        answer = Answer(
            replicas=decision.for_keda,
            is_active=decision.is_active,
            reason=decision.sentence,
            at_zero=None if decision.replicas is None else decision.replicas.existing == 0,
            jobs=jobs_wanted(decision, policy),
        )
        valid_for = _valid_for(decision, policy)
        self._board.publish(watched.key, answer, valid_for=valid_for)
        self._telemetry.policies.decision_published(decision, self._clock.now())
        watched.conditions = conditions(
            decision,
            policy,
            mends=watched.mends,
            warnings=[warning for each in watched.warnings.values() for warning in each],
            reserved=watched.assignment.reserved,
            advantages=watched.decider.advantages(),
            capacity=watched.sizing.condition(decision.at),
            before=watched.conditions,
            unseen=self._replicas.unseen(watched.key),
            around=self._onlooker.around(policy, decision.need),
        )
        told = Told(watched.key, answer, timedelta(0), valid_for, decision, watched.conditions)
        self._audience.published(told)

    def _show(self, watched: Watched, told: Told) -> None:
        self._board.publish(told.key, told.answer, valid_for=told.valid_for, age=told.age)
        watched.conditions = told.conditions
        watched.decider.decision = told.decision
        if told.decision is not None:
            self._telemetry.policies.decision_shown(told.decision, self._clock.now())

    def _is_on_duty(self) -> bool:
        return not self._is_resting and self._may_decide()


def _valid_for(decision: Decision, policy: ScalingPolicy) -> timedelta:
    """How long an answer may be served without a newer decision: until its data are past `staleness.data`."""
    instants = [known.at for known in decision.signals if known.at is not None]
    age = decision.at - min(instants) if instants else timedelta(0)
    return max(policy.stale_data - age, _LEAST_VALID)
