from __future__ import annotations

from dataclasses import astuple
from datetime import timedelta
from pathlib import Path

import pytest

from agent.configuration import Configuration, InvalidConfiguration, load_configuration
from agent.configuration.reference import reference
from scalers.keda.limits import Limits

ROOT = Path(__file__).resolve().parents[4]


def _load(folder: Path, text: str, **environment: str) -> Configuration:
    file = folder / "agent.yaml"
    file.write_text(text)
    return load_configuration(file, environment=environment)


def _faults(folder: Path, text: str, **environment: str) -> list[str]:
    with pytest.raises(InvalidConfiguration) as caught:
        _load(folder, text, **environment)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    assert _load(tmp_path, "# nothing yet\n") == Configuration()


def test_a_source_is_read_with_files_beside_the_configuration(tmp_path: Path) -> None:
    text = "sources: {mimir: {prometheus: {url: https://mimir/prom/, timeout: 5s, bearerTokenFile: token}}}"
    address = _load(tmp_path, text).sources["mimir"].prometheus

    assert address.url == "https://mimir/prom"
    assert address.timeout == timedelta(seconds=5)
    assert address.bearer_token_file == tmp_path / "token"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    configuration = _load(
        tmp_path, "logLevel: debug\ndataDir: here", FORETIDE_LOG_LEVEL="error", FORETIDE_DATA_DIR="/d"
    )

    assert (configuration.log_level, configuration.data_dir) == ("error", Path("/d"))


def test_a_url_alone_is_the_default_source() -> None:
    configuration = load_configuration(None, environment={}, prometheus_url="http://prometheus:9090/")

    assert list(configuration.sources) == ["default"]
    assert configuration.sources["default"].prometheus.url == "http://prometheus:9090"


def test_a_url_replaces_that_of_the_default_source_and_keeps_its_login(tmp_path: Path) -> None:
    text = "sources: {default: {prometheus: {url: http://old:9090, bearerTokenFile: /token}}}"
    address = _load(tmp_path, text, FORETIDE_PROMETHEUS_URL="http://new:9090").sources["default"].prometheus

    assert (address.url, address.bearer_token_file) == ("http://new:9090", Path("/token"))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("gprcAddress: x:1", "agent.yaml:1: gprcAddress is no field of the configuration; did you mean `grpcAddress`?"),
        ("\nlogLevel: loud", "agent.yaml:2: logLevel must be 'debug', 'info', 'warning' or 'error'"),
        ("httpAddress: '8080'", "agent.yaml:1: httpAddress must be HOST:PORT, such as 127.0.0.1:8080"),
        ("sources: {default: {}}", "agent.yaml:1: sources.default.prometheus is required"),
        ("sources: {My_Source: {prometheus: {url: 'http://h'}}}",
         "agent.yaml:1: sources.My_Source must be 1 to 63 lower case letters, digits and inner dashes"),
        ("[]", "agent.yaml: must be one mapping of fields, such as `sources:`"),
        ("logLevel: info\nlogLevel: debug", "agent.yaml:2: logLevel is given twice, here and in line 1"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_refused_with_file_line_and_rule(tmp_path: Path, text: str, fault: str) -> None:
    assert _faults(tmp_path, text) == [fault]


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ("url: prometheus:9090", "url must start with http:// or https:// and name a host"),
        ("url: http://h?x=1", "url must end before /api/v1 and have no ? or #: put a tenant or key into headers"),
        ("url: http://h, timeout: 10", "timeout must be a duration with its unit: write 10s"),
        ("url: http://h, tls: {certFile: c}", "tls must have both certFile and keyFile, or none"),
        ("url: http://h, headers: {Authorization: x}",
         "headers.Authorization must not be given: bearerTokenFile and basicAuth set it"),
        ("url: http://h, headers: {X-A: {text: a, file: b}}", "headers.X-A must be either text or file"),
        ("url: http://h, bearerTokenFile: t, basicAuth: {username: u, passwordFile: p}",
         "must not have both bearerTokenFile and basicAuth"),
    ],
)  # fmt: skip
def test_a_wrong_address_is_refused_with_its_rule(tmp_path: Path, fields: str, fault: str) -> None:
    faults = _faults(tmp_path, f"sources: {{default: {{prometheus: {{{fields}}}}}}}")

    assert [each.removeprefix("agent.yaml:1: sources.default.prometheus").lstrip(". ") for each in faults] == [fault]


def test_a_source_says_who_may_read_what_of_it(tmp_path: Path) -> None:
    rules = 'namespaces: [ml, "team-*"], requireMatcher: {namespace: "{namespace}", cluster: eu}'
    source = _load(tmp_path, f"sources: {{mimir: {{prometheus: {{url: http://h}}, {rules}}}}}").sources["mimir"]

    assert source.namespaces == ("ml", "team-*")
    assert source.require_matcher == {"namespace": "{namespace}", "cluster": "eu"}


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("namespaces: []", "namespaces must name a namespace: nobody could read it otherwise"),
        ("namespaces: [Team]", "namespaces[0] must be a namespace, or one with * for any characters, such as team-*"),
        ("requireMatcher: {__name__: up}", "requireMatcher.__name__ must be a label's name, such as namespace"),
        ("requireMatcher: {namespace: ''}",
         "requireMatcher.namespace must not be blank: an empty value matches what has no such label"),
        ("requireMatcher: {namespace: '{name}'}",
         "requireMatcher.namespace must have no braces but those of {namespace}"),
    ],
)  # fmt: skip
def test_a_wrong_rule_of_who_may_read_is_refused(tmp_path: Path, rule: str, fault: str) -> None:
    faults = _faults(tmp_path, f"sources: {{mimir: {{prometheus: {{url: http://h}}, {rule}}}}}")

    assert [each.removeprefix("agent.yaml:1: sources.mimir.") for each in faults] == [fault]


def test_tls_is_read_with_files_beside_the_configuration(tmp_path: Path) -> None:
    text = "grpc: {tls: {certFile: tls.crt, keyFile: /k, clientCaFile: ca.crt, allowedClientSans: [keda.svc]}}"
    tls = _load(tmp_path, text).grpc.tls

    assert tls is not None
    assert (tls.cert_file, tls.key_file, tls.client_ca_file) == (tmp_path / "tls.crt", Path("/k"), tmp_path / "ca.crt")
    assert tls.allowed_client_sans == ("keda.svc",)


def test_flags_win_over_variables_and_those_over_the_file_field_by_field(tmp_path: Path) -> None:
    file = tmp_path / "agent.yaml"
    file.write_text("grpc: {tls: {certFile: /file/crt, keyFile: /file/key, clientCaFile: /file/ca}}")
    variables = {"FORETIDE_GRPC_KEY_FILE": "/variable/key", "FORETIDE_GRPC_CLIENT_CA_FILE": "/variable/ca"}
    flags = {"grpc.tls.clientCaFile": "/flag/ca", "grpc.insecure": None}
    tls = load_configuration(file, environment=variables, flags=flags).grpc.tls

    assert tls is not None
    assert (tls.cert_file, tls.key_file, tls.client_ca_file) == (
        Path("/file/crt"),
        Path("/variable/key"),
        Path("/flag/ca"),
    )


def test_a_list_in_a_variable_has_commas() -> None:
    variables = {
        "FORETIDE_GRPC_CERT_FILE": "/c",
        "FORETIDE_GRPC_KEY_FILE": "/k",
        "FORETIDE_GRPC_CLIENT_CA_FILE": "/a",
        "FORETIDE_GRPC_ALLOWED_CLIENT_SANS": "keda.svc, spiffe://cluster.local/keda",
    }
    tls = load_configuration(None, environment=variables).grpc.tls

    assert tls is not None
    assert tls.allowed_client_sans == ("keda.svc", "spiffe://cluster.local/keda")


def test_plaintext_can_be_asked_for_by_a_variable() -> None:
    assert load_configuration(None, environment={"FORETIDE_GRPC_INSECURE": "true"}).grpc.insecure is True
    assert load_configuration(None, environment={}).grpc.insecure is False


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ("tls: {certFile: c}", "grpc.tls.keyFile is required (--grpc-key-file)"),
        ("insecure: true, tls: {certFile: c, keyFile: k}", "grpc must not have both tls and insecure"),
        ("tls: {certFile: c, keyFile: k, allowedClientSans: [keda.svc]}",
         "grpc.tls must have clientCaFile with allowedClientSans: no client shows a certificate without it"),
        ("tls: {certFile: c, keyFile: k, clientCaFile: a, allowedClientSans: ['*.svc']}",
         "grpc.tls.allowedClientSans '*.svc' is neither a DNS name, such as keda-operator.keda.svc, nor a URI"),
        ("tsl: {}", "grpc.tsl is no field of the configuration; did you mean `tls`?"),
        ("tls: /etc/tls", "grpc.tls must be a mapping of fields"),
    ],
)  # fmt: skip
def test_a_wrong_way_to_guard_the_port_is_refused_with_its_rule(tmp_path: Path, fields: str, fault: str) -> None:
    assert _faults(tmp_path, f"grpc: {{{fields}}}") == [f"agent.yaml:1: {fault}"]


def test_limits_are_written_as_quantities(tmp_path: Path) -> None:
    limits = _load(tmp_path, "grpc: {limits: {message: 4Mi, callsPerSecond: 10k, metadataEntries: 7}}").grpc.limits

    assert (limits.message, limits.calls_per_second, limits.metadata_entries) == (4 * 1024**2, 10_000, 7)


def test_limits_that_are_not_given_are_those_of_the_server() -> None:
    assert Configuration().grpc.limits.to_limits() == Limits()


def test_each_limit_of_the_file_reaches_the_server(tmp_path: Path) -> None:
    text = (
        "grpc: {limits: {message: 2001, headers: 2002, metadataEntries: 2003, metadataKey: 2004, metadataValue: 2005, "
        "streamsPerConnection: 2006, streamsPerClient: 2007, callsPerSecond: 2008, callsAtOnce: 2009}}"
    )
    assert astuple(_load(tmp_path, text).grpc.limits.to_limits()) == tuple(range(2001, 2010))


def test_the_access_log_has_a_share_of_the_answered_and_a_number_of_the_refused(tmp_path: Path) -> None:
    grpc = _load(tmp_path, "grpc: {accessLog: 1%, accessLogRefusals: 60}").grpc

    assert (grpc.access_log, grpc.access_log_refusals) == (0.01, 60)


def test_more_processes_may_fit_at_once_and_none_is_refused(tmp_path: Path) -> None:
    assert _load(tmp_path, "logLevel: info").fits.processes == 1
    assert _load(tmp_path, "fits: {processes: 4}").fits.processes == 4
    (fault,) = _faults(tmp_path, "fits: {processes: 0}")
    assert "fits.processes must be greater than or equal to 1" in fault


@pytest.mark.parametrize(
    ("limits", "fault"),
    [
        ("{message: 512}", "grpc.limits.message must be greater than or equal to 1024"),
        ("{metadataEntries: 0}", "grpc.limits.metadataEntries must be greater than or equal to 1"),
        ("{callsPerSecond: 1500m}", "grpc.limits.callsPerSecond must be a whole number"),
        ("{streamsPerConnection: 100k}", "must have streamsPerClient of at least streamsPerConnection"),
        (
            "{callPerSecond: 1}",
            "callPerSecond is no field of the configuration; did you mean `callsPerSecond`?",
        ),
    ],
)
def test_a_wrong_limit_is_refused_with_its_rule(tmp_path: Path, limits: str, fault: str) -> None:
    (found,) = _faults(tmp_path, f"grpc: {{limits: {limits}}}")
    assert fault in found


def test_a_wrong_flag_is_refused_by_its_name() -> None:
    flags = {"grpc.tls.certFile": "c", "grpc.tls.keyFile": "k", "grpc.tls.clientCaFile": "a"}
    with pytest.raises(InvalidConfiguration, match=r"^--grpc-allowed-client-sans: grpc.tls.allowedClientSans '\*'"):
        load_configuration(None, environment={}, flags=flags | {"grpc.tls.allowedClientSans": "*"})


def test_a_wrong_variable_is_refused_by_its_name(tmp_path: Path) -> None:
    faults = _faults(tmp_path, "logLevel: info", FORETIDE_LOG_LEVEL="loud")

    assert faults == ["FORETIDE_LOG_LEVEL: logLevel must be 'debug', 'info', 'warning' or 'error'"]


@pytest.mark.parametrize("shown", [str, repr, lambda error: repr(error.__cause__)])
def test_a_password_in_a_url_is_refused_and_not_repeated(shown: object) -> None:
    with pytest.raises(InvalidConfiguration, match="use basicAuth") as caught:
        load_configuration(None, environment={}, prometheus_url="http://agent:hunter2@prometheus:9090")

    assert callable(shown)
    assert "hunter2" not in shown(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match=r"absent\.yaml: cannot be read: No such file or directory"):
        load_configuration(tmp_path / "absent.yaml", environment={})


def test_the_example_loads() -> None:
    configuration = load_configuration(ROOT / "examples" / "agent.yaml", environment={})

    assert sorted(configuration.sources) == ["default", "mimir"]


def test_the_reference_page_is_in_step() -> None:
    page = ROOT / "docs" / "reference" / "configuration.md"

    assert page.read_text() == reference(), (
        "run: python -m agent.configuration.reference > docs/reference/configuration.md"
    )
