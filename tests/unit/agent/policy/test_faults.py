import pytest

from agent.policy import InvalidPolicy, parse_policy
from agent.policy.faults import nearest, shown, written_path
from tests.fakes.policies import VALID_TEXT


def message(old, new):
    assert old in VALID_TEXT
    with pytest.raises(InvalidPolicy) as caught:
        parse_policy(VALID_TEXT.replace(old, new), file="chat.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("risk: 0.05%", "risk: 1", "chat.yaml:10: spec.risk must be a share with a percent sign: write 1%, not 1"),
        (
            "declared: 120s",
            "declared: 120",
            "chat.yaml:11: spec.leadTime.declared must be a duration with its unit: write 120s, not 120",
        ),
        (
            "mode: Active",
            "mode: active",
            'chat.yaml:5: spec.mode must be Shadow or Active, not "active"; did you mean `Active`?',
        ),
        (
            "min: 1, max: 1000",
            "max: 1000, gnag: 4",
            "chat.yaml:9: spec.replicas.gnag is not a known field; did you mean `gang`?",
        ),
        (
            "max: 1000",
            "max: 1000, elephants: 4",
            "chat.yaml:9: spec.replicas.elephants is not a known field (known: min, max, gang)",
        ),
        ("name: workload, n", "name: 5, n", 'chat.yaml:3: metadata.name must be text: write "5", not 5'),
        (
            "replicas: {min: 1, max: 1000}",
            "replicas: 3",
            "chat.yaml:9: spec.replicas must be a mapping of fields, not 3",
        ),
        ("foretide.dev/v1alpha1", "foretide.dev/v1", "chat.yaml:1: apiVersion must be foretide.dev/v1alpha1, not "),
        ("min: 1, ", "min: 1.5, ", "chat.yaml:9: spec.replicas.min must be a whole number, not 1.5"),
        (
            "risk: 0.05%",
            "forecast: {timeZone: Europe/Berln}",
            "chat.yaml:10: spec.forecast.timeZone must be a time zone of the IANA database, such as Europe/Berlin, "
            'not "Europe/Berln"; did you mean `Europe/Berlin`?',
        ),
        (
            "risk: 0.05%",
            "forecast: {timeZone: ../../etc/passwd}",
            "chat.yaml:10: spec.forecast.timeZone must be a time zone such as Europe/Berlin, not",
        ),
        (
            "risk: 0.05%",
            "forecast: {timeZone: Europe}",
            "chat.yaml:10: spec.forecast.timeZone must be a time zone of the IANA database, such as Europe/Berlin, "
            'not "Europe"',
        ),
        (
            "risk: 0.05%",
            "forecast: {calendar: [DE, XX]}",
            'chat.yaml:10: spec.forecast.calendar[1] must be a country whose holidays are known, not "XX"',
        ),
        (
            "risk: 0.05%",
            "forecast: {calendar: [CA-OM]}",
            "spec.forecast.calendar[0] must be a part of CA that has holidays of its own: CA-AB, CA-BC, ",
        ),
        ("risk: 0.05%", "forecast: {calendar: [CA-OM]}", 'CA-YT, not "CA-OM"; did you mean `CA-ON`?'),
        (
            "risk: 0.05%",
            "forecast: {calendar: [christmas]}",
            "forecast.calendar[0] must be a country for its public holidays, such as DE or DE-BY, or",
        ),
        (
            "risk: 0.05%",
            "forecast: {calendar: [2026-02-30]}",
            "calendar[0] must be days of the calendar: there is no 2026-02-30, not",
        ),
        (
            "risk: 0.05%",
            "forecast: {calendar: [2026-12-24/2026-12-23]}",
            "calendar[0] must not have a span that ends before it begins, as 2026-12-24/2026-12-23 does, not",
        ),
        (
            "risk: 0.05%",
            "forecast: {calendar: ['2026-12-24, 12-31']}",
            "calendar[0] must have a year for each of its days or for none, not",
        ),
        ("404.33", ".nan", "chat.yaml:8: spec.capacity.perReplica must be a number or a quantity"),
    ],
)
def test_a_fault_names_file_line_path_value_rule_and_mend(old, new, said):
    assert said in message(old, new)


def test_all_faults_are_told_at_once():
    text = VALID_TEXT.replace("max: 1000", "mx: 1000").replace("0.05%", "5").replace("120s", "soon")
    with pytest.raises(InvalidPolicy) as caught:
        parse_policy(text, file="chat.yaml")
    assert [fault.path for fault in caught.value.faults] == [
        "spec.replicas.max",
        "spec.replicas.mx",
        "spec.risk",
        "spec.leadTime.declared",
    ]


def test_a_missing_field_is_told_at_the_line_of_what_lacks_it():
    assert message("min: 1, max: 1000", "min: 1") == "chat.yaml:9: spec.replicas.max is required"


def test_a_field_in_a_list_is_told_with_its_place():
    text = VALID_TEXT + "  signals:\n    - {name: a, prometheus: {query: x}}\n    - {name: b, prometeus: {query: y}}\n"
    with pytest.raises(InvalidPolicy) as caught:
        parse_policy(text.replace("  demand: {prometheus: {query: demand}, step: 15s}\n", ""), file="chat.yaml")
    assert "chat.yaml:13: spec.signals[1].prometeus is not a known field; did you mean `prometheus`?" in str(
        caught.value
    )


def test_a_long_value_is_shortened():
    assert shown("x" * 1000) == f'"{"x" * 59}…'


def test_paths_are_written_as_people_write_them():
    assert written_path(("spec", "signals", 1, "name")) == "spec.signals[1].name"


def test_a_name_like_nothing_has_no_nearest():
    assert nearest("elephants", ["min", "max"]) is None
    assert nearest("Perreplica", ["perReplica", "learned"]) == "perReplica"
