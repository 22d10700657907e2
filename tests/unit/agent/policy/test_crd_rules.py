"""The API server and the models say the same about the same document; the CRD's CEL is run by a CEL engine."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.policy import InvalidPolicy, document_json, policy_of
from agent.policy.crd import custom_resource_definition
from agent.policy.models import WRITABLE
from tests.fakes.api_server import FakeApiServer
from tests.fakes.policies import document, full_document

few = settings(max_examples=50)
SERVER = FakeApiServer(custom_resource_definition())
INSTANTS = st.sampled_from(["2026-03-02T08:00:00Z", "2026-03-02T10:00:00+02:00", "2026-03-03T00:00:00Z"])
SHORT = ["", "0s", "1ms", "999ms", "1s", "15s", "4m", "30m", "59m30s", "59m31s", "90", "1h 1m", "1s1h"]
LONG = [
    "60m",
    "1h",
    "1h0m0s1ms",
    "2h",
    "1d",
    "1d1ms",
    "24h1s",
    "7d",
    "1w",
    "1w1s",
    "366d",
    "1y",
    "1y1d",
    "1y2d",
    "400d",
]
DURATIONS = st.sampled_from([*SHORT, *LONG])
SHARES = st.sampled_from(["0%", "0.0%", "0.001%", "1%", "49.999%", "50%", "99.99%", "100%", "1", "-1%", "1.%"])
COUNTS = st.sampled_from([-1, 0, 1, 2, 3, 4, 6, 40, 100_000, 100_001])
QUANTITIES = st.sampled_from(
    [-1, 0, 1, 12, "0", "0.0", "0.5", ".5", "5.", "250m", "1e-12", "0e5", "-1", "1K", "2Ki", ""]
)
ENTRIES = ["DE", "us-ca", "2026-12-24", "12-24", "12-24/01-01", "2026-12-24, 2026-12-26", "12-24,12-26/12-27"]
NO_ENTRIES = ["", "D", "DEU", "DE-", "DE-BAYERN", "24-12", "2026-1-1", "2026-12-24/", "12-24 ", "12-24;12-26"]
PROMETHEUS = {"prometheus": {"query": "x"}}


def model_takes(changed):
    try:
        policy_of(changed, origin="here")
    except InvalidPolicy:
        return False
    return True


def assert_agreement(changed):
    assert (SERVER.refusals(changed) == []) == model_takes(changed), SERVER.refusals(changed)


@few
@given(COUNTS, COUNTS, COUNTS)
@example(0, 1, 1)
@example(4, 8, 4)
def test_they_agree_on_bounds(least, most, gang):
    assert_agreement(document(replicas={"min": least, "max": most, "gang": gang}))


@few
@given(st.sampled_from(["step", "delay"]), DURATIONS, DURATIONS, DURATIONS)
@example("delay", "15s", "59m30s", "1h")
@example("step", "15s", "59m31s", "1h")
def test_they_agree_on_the_look_ahead(field, value, lead_time, horizon):
    assert_agreement(document(**{f"demand__{field}": value}, leadTime__declared=lead_time, forecast__horizon=horizon))


@few
@given(DURATIONS, DURATIONS)
@example("29m30s", "30m")
@example("29m31s", "30m")
def test_they_agree_on_the_warm_up(warm_up, lead_time):
    assert_agreement(document(leadTime={"declared": lead_time, "warmUp": warm_up}))


@few
@given(DURATIONS, DURATIONS)
def test_they_agree_on_staleness(forecast, data):
    assert_agreement(document(staleness={"forecast": forecast, "data": data}))


@few
@given(DURATIONS, DURATIONS, DURATIONS)
def test_they_agree_on_durations(history, sync, stabilization):
    assert_agreement(document(forecast__history=history, scaling={"sync": sync, "stabilization": stabilization}))


@few
@given(SHARES, SHARES)
def test_they_agree_on_shares(risk, tolerance):
    assert_agreement(document(risk=risk, scaling__tolerance=tolerance))


@few
@given(QUANTITIES, QUANTITIES)
def test_they_agree_on_quantities(capacity, activation):
    assert_agreement(document(capacity__perReplica=capacity, scaling__activation=activation))


@few
@given(st.lists(st.sampled_from(["auto", "-harmonic", "-last-value", "-seasonal-naive", *WRITABLE, "prophet"])))
def test_they_agree_on_models(models):
    assert_agreement(document(forecast__models=models))


@few
@given(
    slots=st.sampled_from([0, 1, 16, 4096, 4097]), wait=DURATIONS, kept=SHARES, variation=QUANTITIES, service=DURATIONS
)
@example(slots=16, wait="0s", kept="99.99%", variation="0", service="1s")
def test_they_agree_on_concurrency(slots, wait, kept, variation, service):
    part = {"slots": slots, "serviceTime": service, "variation": variation, "wait": wait, "kept": kept}
    assert_agreement(document(capacity={"concurrency": part}))


@few
@given(points=st.lists(st.tuples(st.sampled_from([0, 1, 8, 64, 100_001]), DURATIONS), max_size=4), within=DURATIONS)
@example(points=[(1, "1s"), (8, "2s"), (64, "15s")], within="999ms")
@example(points=[(1, "1s"), (8, "2s"), (64, "15s")], within="1s")
@example(points=[(1, "1s"), (8, "2s"), (8, "15s")], within="1s")
def test_they_agree_on_load_tests(points, within):
    steps = [{"concurrency": concurrency, "time": time} for concurrency, time in points]
    assert_agreement(document(capacity={"loadTest": {"points": steps, "within": within}}))


@few
@given(
    demand=st.none() | st.just(PROMETHEUS),
    names=st.none() | st.lists(st.sampled_from(["a", "b", "C", ""]), max_size=9),
    capacity=st.sampled_from([None, {}, {"perReplica": 1}, {"learned": {"initial": 1}}]),
    own=st.booleans(),
    both=st.booleans(),
)
def test_they_agree_on_signals_and_capacity(demand, names, capacity, own, both):
    extra = {"capacity": {"perReplica": 3}} if own else {}
    signals = None if names is None else [{"name": name, **PROMETHEUS, **extra} for name in names]
    if capacity and both:
        capacity = {"perReplica": 1, "learned": {"initial": 1}}
    assert_agreement(document(demand=demand, signals=signals, capacity=capacity))


@few
@given(
    st.sets(
        st.sampled_from(
            [
                ("prometheus", "query", "x"),
                ("queue", "kind", "Kueue"),
                ("preset", "name", "vllm"),
                ("prometheus", "query", " "),
            ]
        )
    )
)
def test_they_agree_on_kinds_of_demand(kinds):
    assert_agreement(document(demand={kind: {field: value} for kind, field, value in sorted(kinds)}))


@few
@given(COUNTS, INSTANTS, INSTANTS)
def test_they_agree_on_overrides(replicas, since, until):
    override = {"replicas": replicas, "from": since, "until": until, "owner": "ml", "reason": "launch"}
    assert_agreement(document(overrides=[override]))


@pytest.mark.parametrize("entry", [*ENTRIES, *NO_ENTRIES])
def test_they_agree_on_calendars(entry):
    assert_agreement(document(forecast={"calendar": [entry]}))


def test_both_take_every_field_of_the_design():
    assert SERVER.refusals(full_document()) == []
    assert model_takes(full_document())


def test_an_api_server_takes_the_json_form_of_a_policy():
    policy = policy_of(document(capacity__perReplica=404.33), origin="here")
    assert SERVER.refusals(document_json(policy)) == []


def test_the_server_fills_in_the_defaults_of_the_models():
    filled = document()
    SERVER.fill_in(filled)
    assert policy_of(filled, origin="here") == policy_of(document(), origin="here")
    assert filled["spec"]["forecast"] == {"history": "14d", "horizon": "1h", "models": ["auto"], "timeZone": "UTC"}


def test_a_refusal_says_the_rule():
    assert SERVER.refusals(document(replicas__min=41)) == ["spec.replicas: must be at most max"]


@pytest.mark.parametrize("kind", ["csv", "simulator"])
def test_a_demand_of_files_only_is_no_demand_in_a_cluster(kind):
    changed = document(demand={kind: {"path": "/etc/passwd"} if kind == "csv" else {}})
    assert model_takes(changed)
    assert SERVER.refusals(changed) == [
        "spec.demand: must have exactly one of prometheus, kafka, queue, preset, or in a file csv or simulator"
    ]
