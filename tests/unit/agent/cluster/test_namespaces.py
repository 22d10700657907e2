"""What the namespaces of policies set for their pods is looked at now and then, and nowhere else."""

from __future__ import annotations

from agent.cluster.holding import Rules
from agent.cluster.namespaces import NamespaceLooks
from agent.cluster.target import Target, target_of
from agent.cluster.targets import counts_of
from agent.cluster.workloads import Workload, workload_of
from tests.fakes import api_documents
from tests.fakes.namespace_documents import Object, a_budget, a_deployment, a_limit_range, a_quota

WORKLOAD = workload_of(counts_of(a_deployment()))


def a_target(namespace: str = "ml", kind: str = "Deployment") -> Target:
    return target_of(namespace, {"apiVersion": "apps/v1", "kind": kind, "name": "chat"})


def paths(namespace: str = "ml") -> tuple[str, str, str]:
    core = f"/api/v1/namespaces/{namespace}"
    budgets = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"
    return f"{core}/resourcequotas", f"{core}/limitranges", budgets


class Rig:
    """Looks at what an API server has, at a time that a test says."""

    def __init__(self) -> None:
        self.seconds, self.api = 0.0, api_documents.Documents()
        self.put(a_quota({"pods": "6"}), a_limit_range(max={"cpu": "2"}), a_budget(maxUnavailable=0))
        self.looks = NamespaceLooks(self.workload, monotonic=lambda: self.seconds)

    def workload(self, target: Target) -> Workload | None:
        return WORKLOAD if target.kind == "Deployment" else None

    def put(self, quota: Object, limit_range: Object, budget: Object) -> None:
        for path, each in zip(paths(), (quota, limit_range, budget), strict=True):
            self.api.by_path[path] = {"items": [each]}

    async def look(self, *targets: Target) -> None:
        await self.looks.look(self.api, targets)

    @property
    def rules(self) -> Rules:
        place = self.looks.place(a_target())
        assert place is not None
        return place.rules


async def test_the_lists_of_a_namespace_and_the_pods_at_that_time_are_known() -> None:
    rig = Rig()
    await rig.look(a_target())
    assert [each.name for each in rig.rules.quotas] == [("ml", "team")]
    assert [each.kind for each in rig.rules.limit_ranges] == ["Container"]
    assert [each.told for each in rig.rules.budgets] == ["spec.maxUnavailable is 0"]
    assert rig.rules.own == {("Deployment", "chat"): 5}


async def test_of_a_target_whose_pods_are_not_known_nothing_is_said() -> None:
    rig = Rig()
    await rig.look(a_target(kind="Rollout"))
    assert rig.looks.place(a_target(kind="Rollout")) is None


async def test_a_namespace_is_listed_every_half_minute_and_only_while_it_has_a_policy() -> None:
    rig = Rig()
    for seconds in (0, 5, 29, 30):
        rig.seconds = seconds
        await rig.look(a_target())
    assert [rig.api.times(path) for path in paths()] == [2, 2, 2]
    rig.seconds = 60
    await rig.look()
    assert rig.rules == Rules()
    assert not any("namespaces/batch" in asked for asked in rig.api.asked)


async def test_of_many_namespaces_a_few_are_listed_at_once_and_each_comes_to_its_turn() -> None:
    rig = Rig()
    targets = [a_target(f"team-{number}") for number in range(10)]
    asked = []
    for seconds in (0, 5, 10, 15):
        rig.seconds = seconds
        before = len(rig.api.asked)
        await rig.look(*targets)
        asked.append((len(rig.api.asked) - before) // 3)
    assert asked == [4, 4, 2, 0]


async def test_while_nobody_answers_what_was_known_stands() -> None:
    rig = Rig()
    await rig.look(a_target())
    rig.api.by_path, rig.seconds = dict.fromkeys(paths(), 0), 30
    await rig.look(a_target())
    assert len(rig.rules.quotas) == 1
    assert rig.looks.unseen("ml") == frozenset()


async def test_an_answer_that_is_no_list_leaves_what_was_known_and_an_empty_one_empties_it() -> None:
    rig = Rig()
    await rig.look(a_target())
    quotas, ranges, budgets = paths()
    rig.api.by_path |= {quotas: {"kind": "Status"}, ranges: "<html>", budgets: {"items": None}}
    rig.seconds = 30
    await rig.look(a_target())
    assert (len(rig.rules.quotas), len(rig.rules.limit_ranges), len(rig.rules.budgets)) == (1, 1, 0)


async def test_what_may_not_be_listed_is_told_and_costs_its_own_part_alone() -> None:
    rig = Rig()
    rig.api.by_path[paths()[0]] = 403
    await rig.look(a_target())
    assert (rig.rules.quotas, len(rig.rules.budgets)) == ((), 1)
    assert rig.looks.unseen("ml") == {"resourcequotas"}
    rig.put(a_quota({"pods": "6"}), a_limit_range(), a_budget())
    rig.seconds = 30
    await rig.look(a_target())
    assert rig.looks.unseen("ml") == frozenset()
    assert len(rig.rules.quotas) == 1
