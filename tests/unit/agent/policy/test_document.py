from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.policy import InvalidPolicy, document_json, parse_policy, policy_of
from scalers.policy import Mode, PolicyKey, WhenUnknown
from tests.fakes.policies import VALID_TEXT, document, full_document


def faults(changed):
    with pytest.raises(InvalidPolicy) as caught:
        policy_of(changed, origin="here")
    return [(fault.path, fault.rule) for fault in caught.value.faults]


def test_a_policy_written_by_a_program_loads():
    (policy,) = parse_policy(VALID_TEXT, file="policy.yaml")
    assert policy.key == PolicyKey(namespace="default", name="workload")
    assert policy.spec.capacity.per_replica == 404.33
    assert policy.spec.risk == 0.0005
    assert policy.spec.lead_time.declared == timedelta(minutes=2)


def test_a_capacity_in_scientific_notation_is_a_number_though_yaml_thinks_otherwise():
    (policy,) = parse_policy(VALID_TEXT.replace("404.33", "1e-12"), file="policy.yaml")
    assert policy.spec.capacity.per_replica == 1e-12


def test_what_is_not_said_has_the_documented_default():
    spec = policy_of(document(mode=None, risk=None), origin="here").spec
    assert spec.mode is Mode.SHADOW
    assert (spec.demand.source, spec.demand.step, spec.demand.delay) == ("default", timedelta(seconds=15), timedelta(0))
    assert (spec.replicas.gang, spec.risk) == (1, 0.01)
    assert (spec.forecast.history, spec.forecast.horizon) == (timedelta(days=14), timedelta(hours=1))
    assert spec.forecast.models == ("auto",)
    assert (spec.scaling.tolerance, spec.scaling.activation) == (0.1, 0)
    assert (spec.scaling.sync, spec.scaling.stabilization) == (timedelta(seconds=15), timedelta(minutes=5))
    assert (spec.scaling.actuator, spec.scaling.when_unknown) == ("HPA", WhenUnknown.WAKE)
    assert (spec.staleness.forecast, spec.staleness.data) == (timedelta(minutes=5), timedelta(minutes=10))


def test_every_field_of_the_design_is_taken():
    policy = policy_of(full_document(), origin="here")
    assert policy.spec.objectives[0].target == 0.99
    assert policy.spec.hints.budget == {"nvidia.com/gpu": 8}


@pytest.mark.parametrize(
    "kind",
    [{"kafka": {"topic": "t", "consumerGroup": "g"}}, {"queue": {"kind": "Kueue"}}, {"preset": {"name": "vllm"}}],
)
def test_kinds_of_demand_of_later_versions_are_taken(kind):
    assert policy_of(document(demand=kind), origin="here").spec.demand is not None


def test_what_an_api_server_adds_to_an_object_is_no_fault():
    seen = document()
    seen["metadata"] |= {"uid": "1", "resourceVersion": "2", "managedFields": [{}], "labels": {"team": "ml"}}
    seen["status"] = {"anything": 1}
    assert policy_of(seen, origin="here").key.name == "workload"


@pytest.mark.parametrize(
    ("changes", "path", "rule"),
    [
        ({"replicas__min": 41}, "spec.replicas.min", "must be at most max"),
        ({"replicas__max": 0}, "spec.replicas.max", "must be at least 1"),
        ({"replicas__max": 100_001}, "spec.replicas.max", "must be at most 100000"),
        ({"replicas__gang": 3, "replicas__min": 3}, "spec.replicas.max", "must be a multiple of gang"),
        ({"replicas__min": True}, "spec.replicas.min", "must be a whole number"),
        ({"capacity": None}, "spec.capacity", "must be given, here or in each entry of signals"),
        ({"capacity": {}}, "spec.capacity", "must have exactly one of perReplica, learned, concurrency, loadTest"),
        (
            {"capacity__learned": {"initial": 3}},
            "spec.capacity",
            "must have exactly one of perReplica, learned, concurrency, loadTest",
        ),
        ({"capacity__perReplica": 0}, "spec.capacity.perReplica", "must be above 0"),
        ({"risk": "0%"}, "spec.risk", "must be above 0% and below 50%"),
        ({"risk": "50%"}, "spec.risk", "must be above 0% and below 50%"),
        ({"leadTime__declared": "0s"}, "spec.leadTime.declared", "must be between 1ms and 1d"),
        ({"demand__step": "500ms"}, "spec.demand.step", "must be between 1s and 1h"),
        ({"forecast__history": "59m"}, "spec.forecast.history", "must be between 1h and 366d"),
        ({"staleness__forecast": "11m"}, "spec.staleness.forecast", "must be at most data"),
        ({"demand": None}, "spec", "must have exactly one of demand, signals"),
        ({"signals": [{"name": "a", "csv": {"path": "x"}}]}, "spec", "must have exactly one of demand, signals"),
        ({"demand__prometheus": None, "demand__step": "15s"}, "spec.demand", "must have exactly one of prometheus"),
        ({"demand__csv": {"path": "x"}}, "spec.demand", "must have exactly one of prometheus"),
        ({"demand__prometheus__query": " "}, "spec.demand.prometheus.query", "must be a query that is not blank"),
        ({"forecast__models": ["-harmonic"]}, "spec.forecast.models", "must leave at least one model"),
        ({"scaleTargetRef__name": "No"}, "spec.scaleTargetRef.name", "must be a DNS name"),
        (
            {"leadTime__declared": "59m31s"},
            "spec.forecast.horizon",
            "must be at least the look-ahead: leadTime.declared and warmUp, scaling.sync, step and delay together",
        ),
    ],
)
def test_a_broken_rule_is_told_at_its_field(changes, path, rule):
    assert [(at, said[: len(rule)]) for at, said in faults(document(**changes))] == [(path, rule)]


def test_a_look_ahead_that_just_fits_the_horizon_is_taken():
    assert policy_of(document(leadTime__declared="59m30s"), origin="here")


def test_signals_have_names_of_their_own():
    twice = [{"name": "a", "prometheus": {"query": "x"}}, {"name": "a", "prometheus": {"query": "y"}}]
    assert faults(document(demand=None, signals=twice)) == [("spec.signals", "must have unique names")]


def test_signals_may_size_themselves():
    each = [{"name": "a", "prometheus": {"query": "x"}, "capacity": {"perReplica": 3}}]
    assert policy_of(document(demand=None, capacity=None, signals=each), origin="here")
    each.append({"name": "b", "prometheus": {"query": "y"}})
    assert faults(document(demand=None, capacity=None, signals=each))[0][0] == "spec.capacity"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"replicas": 41}, "spec.overrides"),
        ({"until": "2026-03-02T07:00:00Z"}, "spec.overrides[0].until"),
        ({"from": "2026-03-02T08:00:00"}, "spec.overrides[0].from"),
        ({"from": 1_700_000_000}, "spec.overrides[0].from"),
        ({"reason": ""}, "spec.overrides[0].reason"),
    ],
)
def test_an_override_that_cannot_be_kept_is_refused(change, path):
    changed = full_document()
    changed["spec"]["overrides"][0] |= change
    assert [at for at, _ in faults(changed)] == [path]


def test_the_json_form_is_as_people_write_it():
    spec = document_json(policy_of(document(capacity__perReplica=0.5), origin="here"))["spec"]
    assert spec["leadTime"] == {"declared": "2m", "warmUp": "0s"}
    assert spec["risk"] == "1%"
    assert spec["capacity"] == {"perReplica": "0.5"}  # the API server takes no bare fraction
    assert spec["replicas"] == {"min": 1, "max": 40, "gang": 1}


@given(
    st.builds(
        document,
        risk=st.decimals("0.001", "49.999", places=3).map(lambda percent: f"{percent}%"),
        capacity__perReplica=st.floats(1e-12, 1e12) | st.integers(1, 10**9),
        replicas__max=st.integers(1, 100_000),
        leadTime__declared=st.integers(1, 3000).map(lambda seconds: f"{seconds}s"),
    )
)
def test_the_json_form_reads_back_as_the_same_policy(changed):
    policy = policy_of(changed, origin="here")
    assert policy_of(document_json(policy), origin="here") == policy


def keys(part, path=""):
    """Paths of all keys whose names the models know; what `alerts` holds is open in this version."""
    entries = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for name, value in entries:
        where = f"{path}[{name}]" if isinstance(name, int) else f"{path}.{name}".removeprefix(".")
        if isinstance(name, str):
            yield where, part, name
        if name not in {"alerts", "budget"}:
            yield from keys(value, where)


@given(st.data())
def test_a_key_with_a_changed_name_is_refused_with_its_path(data):
    changed = full_document()
    path, part, name = data.draw(st.sampled_from(list(keys(changed))))
    place = data.draw(st.integers(0, len(name)))
    misspelt = name[:place] + data.draw(st.sampled_from("xyzQ_- ")) + name[place:]
    part[misspelt] = part.pop(name)
    told = {fault_path for fault_path, _ in faults(changed)}
    assert path.removesuffix(name) + misspelt in told
