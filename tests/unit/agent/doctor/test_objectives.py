"""What `foretide doctor` says of the objectives by which a capacity is learned."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agent.configuration import Configuration
from agent.doctor.finding import Finding, Level
from agent.doctor.objectives import check_objectives
from agent.policy import Demand, policy_of
from agent.sources.source import Reading, Sample, SignalState, SourceError
from agent.sources.table import SourceTable
from tests.fakes.policies import document
from tests.fakes.sources import ScriptedSource

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TTFT = {"name": "ttft", "query": "ttft", "below": "2s"}
LATENCY = {"name": "latency", "good": "good", "total": "total", "target": "99%"}
OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL


async def look(
    answers: dict[str, float | SourceError], *objectives: dict[str, str], **learned: object
) -> list[Finding]:
    """Look at a policy that learns; a query is answered by what is found for the first word that it holds."""

    def opened(signal: Demand) -> ScriptedSource:
        assert signal.prometheus is not None
        query = signal.prometheus.query
        answer = next(each for word, each in answers.items() if word in query)
        return ScriptedSource([answer if isinstance(answer, SourceError) else Reading(Sample(NOW, answer), newest=NOW)])

    table = SourceTable(Configuration(), extra={"prometheus": opened})
    changed = document(capacity={"learned": {"initial": 12, **learned}}, objectives=list(objectives))
    return await check_objectives(policy_of(changed, origin="here"), table, now=NOW)


async def test_an_objective_says_its_value_and_its_limit() -> None:
    findings = await look({"ttft": 1.5, "good": 0.98}, TTFT, LATENCY)

    assert findings == [
        Finding("policy default/workload: demand: objective ttft", OK, "1.5 now, kept: at most 2"),
        Finding("policy default/workload: demand: objective latency", OK, "0.98 now, missed: at least 0.99"),
    ]


@pytest.mark.parametrize(
    ("state", "level"), [(SignalState.EMPTY, WARN), (SignalState.NOT_A_NUMBER, WARN), (SignalState.BAD_QUERY, FAIL)]
)
async def test_a_query_that_gives_nothing_is_told_and_is_wrong_unless_an_idle_service_gives_nothing_too(
    state: SignalState, level: Level
) -> None:
    (finding,) = await look({"ttft": SourceError(state, "it says", mend="look at it", is_retriable=True)}, TTFT)

    assert (finding.level, finding.mend) == (level, "look at it")
    assert finding.what == f"{state}: it says; nothing is learned meanwhile"


async def test_a_capacity_that_cannot_be_learned_says_what_to_write() -> None:
    (finding,) = await look({}, TTFT, objective="tfft")

    assert (finding.check, finding.level) == ("policy default/workload: demand: capacity", WARN)
    assert finding.what == "it cannot be learned: there is no objective 'tfft'"
    assert finding.mend == "name one of `objectives` (ttft)"


async def test_where_the_capacity_is_declared_nothing_is_asked() -> None:
    policy = policy_of(document(objectives=[TTFT]), origin="here")

    assert await check_objectives(policy, SourceTable(Configuration()), now=NOW) == []
