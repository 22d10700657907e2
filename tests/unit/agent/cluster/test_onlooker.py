"""What else is in the cluster is known from the first list on, and what cannot be listed is told."""

from __future__ import annotations

from agent.cluster.documents import Documents
from agent.cluster.onlooker import ClusterOnlooker
from agent.cluster.others import HPAS, SCALED_OBJECTS, VPAS, kept_hpa
from agent.cluster.target import Target, target_of
from agent.cluster.targets import counts_of
from agent.cluster.workloads import Workload, workload_of
from agent.surroundings import Surroundings
from scalers.policy import PolicyKey
from tests.fakes import api_documents
from tests.fakes.namespace_documents import a_deployment, a_quota
from tests.fakes.policies import document
from tests.fakes.scaler_documents import Object, a_scaled_object, an_hpa
from tests.fakes.situations import a_policy

CHAT = a_policy()
HPAS_AT = "/apis/autoscaling/v2/namespaces/ml/horizontalpodautoscalers"
SCALED_OBJECTS_AT = "/apis/keda.sh/v1alpha1/namespaces/ml/scaledobjects"
VPAS_AT = "/apis/autoscaling.k8s.io/v1/namespaces/ml/verticalpodautoscalers"
QUOTAS_AT, LIMIT_RANGES_AT = "/api/v1/namespaces/ml/resourcequotas", "/api/v1/namespaces/ml/limitranges"
BUDGETS_AT = "/apis/policy/v1/namespaces/ml/poddisruptionbudgets"
DEPLOYMENT = target_of("ml", {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat"})


def target(key: PolicyKey) -> Target | None:
    return target_of(key.namespace, {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat"})


def a_list(*items: Object) -> Object:
    """A list, whose items have no kind of their own."""
    return {"metadata": {"resourceVersion": "900"}, "items": [{**each, "kind": None} for each in items]}


class Rig:
    """An onlooker of namespace ml, and what the API server has."""

    def __init__(self, workload: Workload | None = None) -> None:
        self.policies, self.api = Documents(), api_documents.Documents()
        self.api.by_path |= {HPAS_AT: a_list(an_hpa()), SCALED_OBJECTS_AT: a_list(a_scaled_object())}
        self.onlooker = ClusterOnlooker(self.policies, target, lambda _: None, ["ml"], workload=lambda _: workload)

    def reasons(self) -> list[str]:
        return [each.reason for each in self.around().conflicts]

    def around(self) -> Surroundings:
        found = self.onlooker.around(CHAT, 5.0)
        assert found is not None
        return found


async def test_what_was_there_before_the_agent_is_known_before_the_first_decision() -> None:
    rig = Rig()
    assert await rig.onlooker.list_all(rig.api)
    assert (rig.reasons(), rig.around().named_by) == (["TwoScalers"], ("ml/chat",))
    assert rig.onlooker.watched.keys() == {HPAS, SCALED_OBJECTS}


async def test_before_anybody_has_answered_nothing_is_said_to_be_well() -> None:
    rig = Rig()
    rig.api.by_path = dict.fromkeys((HPAS_AT, SCALED_OBJECTS_AT, VPAS_AT), 0)
    assert not await rig.onlooker.list_all(rig.api)
    assert rig.around() == Surroundings(
        (),
        (),
        "horizontalpodautoscalers and scaledobjects cannot be listed: let the service account get, list and watch them",
    )


async def test_what_the_watch_tells_counts_from_the_next_look_on() -> None:
    rig = Rig()
    await rig.onlooker.list_all(rig.api)
    rig.onlooker.kept[HPAS].remove(kept_hpa(an_hpa()))
    rig.onlooker.look()
    assert rig.reasons() == []


async def test_what_went_while_the_watch_was_cut_is_gone_with_the_next_list() -> None:
    rig = Rig()
    await rig.onlooker.list_all(rig.api)
    rig.api.by_path[HPAS_AT] = a_list()
    assert not await rig.onlooker.list_all(rig.api)
    assert rig.reasons() == []


async def test_while_nobody_answers_what_was_known_stands() -> None:
    rig = Rig()
    await rig.onlooker.list_all(rig.api)
    rig.api.by_path[HPAS_AT] = 0
    assert not await rig.onlooker.list_all(rig.api)
    assert rig.reasons() == ["TwoScalers"]


async def test_a_cluster_without_keda_has_no_trigger_and_a_later_one_is_watched() -> None:
    rig = Rig()
    rig.api.by_path |= {SCALED_OBJECTS_AT: 404, HPAS_AT: a_list()}
    await rig.onlooker.list_all(rig.api)
    assert rig.around() == Surroundings((), ())
    rig.api.by_path[SCALED_OBJECTS_AT] = a_list(a_scaled_object())
    assert await rig.onlooker.list_all(rig.api)
    assert SCALED_OBJECTS in rig.onlooker.watched


async def test_hpas_that_may_not_be_listed_are_unknown_and_vpas_cost_their_own_part_alone() -> None:
    rig = Rig()
    rig.api.by_path |= {HPAS_AT: 403, VPAS_AT: 403}
    await rig.onlooker.list_all(rig.api)
    unseen = "horizontalpodautoscalers cannot be listed: let the service account get, list and watch them"
    assert rig.around() == Surroundings((), ("ml/chat",), unseen)
    rig.api.by_path[HPAS_AT] = a_list()
    await rig.onlooker.list_all(rig.api)
    assert rig.around() == Surroundings((), ("ml/chat",))
    assert VPAS not in rig.onlooker.watched


async def test_hpas_that_may_be_listed_and_not_watched_are_told() -> None:
    rig = Rig()
    rig.api.by_path[HPAS_AT] = a_list()
    await rig.onlooker.list_all(rig.api)
    rig.onlooker.forbidden = {HPAS: "let the service account watch them", VPAS: "this one, too"}
    assert rig.around().unseen == "horizontalpodautoscalers cannot be watched: let the service account watch them"


async def test_what_the_namespace_sets_for_pods_counts_once_it_was_looked_at() -> None:
    rig = Rig(workload=workload_of(counts_of(a_deployment())))
    rig.api.by_path |= {HPAS_AT: a_list(), QUOTAS_AT: a_list(a_quota({"pods": "4"}))}
    rig.api.by_path |= {LIMIT_RANGES_AT: a_list(), BUDGETS_AT: 403}
    await rig.onlooker.list_all(rig.api)
    assert rig.around().conflicts == ()
    await rig.onlooker.look_at_namespaces(rig.api, [DEPLOYMENT])
    assert rig.reasons() == ["QuotaBelowNeed"]
    assert rig.around().unseen == "poddisruptionbudgets cannot be listed: let the service account list them"


async def test_two_policies_that_are_active_are_found_among_the_policies() -> None:
    rig = Rig()
    rig.api.by_path[HPAS_AT] = a_list()
    rig.policies.replace([policy("chat"), policy("chat-nightly"), policy("chat-trial", mode="Shadow")])
    await rig.onlooker.list_all(rig.api)
    assert [each.message.split(":")[0] for each in rig.around().conflicts] == ["ForecastPolicy ml/chat-nightly"]
    rig.policies.put({**policy("chat-nightly", mode="Shadow"), "metadata": metadata("chat-nightly", "2")})
    rig.onlooker.look()
    assert rig.reasons() == []


def test_of_a_policy_that_is_gone_nothing_is_said() -> None:
    onlooker = ClusterOnlooker(Documents(), lambda _: None, lambda _: None, ["ml"])
    assert onlooker.around(CHAT, None) is None


def test_of_a_scaled_job_nothing_is_said_for_no_replicas_are_shared() -> None:
    jobs = target_of("ml", {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledJob", "name": "chat"})
    assert ClusterOnlooker(Documents(), lambda _: jobs, lambda _: None, ["ml"]).around(CHAT, None) is None


def metadata(name: str, version: str = "1") -> Object:
    return {"namespace": "ml", "name": name, "uid": name, "resourceVersion": version}


def policy(name: str, mode: str = "Active") -> Object:
    return {**document(mode=mode), "metadata": metadata(name)}
