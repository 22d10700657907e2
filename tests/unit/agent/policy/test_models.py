import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.policy.models import AUTO_MODELS, FAMILIES, MODEL_NAMES, WRITABLE, resolve_families, resolve_models
from forecasters import peak_paths
from forecasters.table import FORECASTERS


def test_the_names_are_those_of_the_forecasters():
    assert set(MODEL_NAMES) == set(FORECASTERS)


@pytest.mark.parametrize(
    ("written", "resolved"),
    [
        (["auto"], ("harmonic",)),
        (["auto", "arima"], ("arima", "harmonic")),
        (["auto", "-harmonic"], ()),
        (["holt-winters"], ("holt-winters",)),
        (["arima", "-arima"], ()),
    ],
)
def test_auto_is_added_to_and_taken_from(written, resolved):
    assert resolve_models(written) == resolved


@given(st.lists(st.sampled_from(WRITABLE)))
def test_a_forbidden_model_never_comes_back(written):
    forbidden = {name.removeprefix("-") for name in written if name.startswith("-")}
    resolved = set(resolve_models(written))
    assert not resolved & forbidden
    assert resolved <= set(written) | set(AUTO_MODELS)


@pytest.mark.parametrize(
    ("written", "resolved"),
    [
        (["auto"], ("quantile-regression", "hold", "analog", "volatility")),
        (["auto", "-hold"], ("quantile-regression", "analog", "volatility")),
        (["analog"], ("analog",)),
        (["arima"], ()),
    ],
)
def test_families_of_experts_are_pinned_and_forbidden_like_models(written, resolved):
    assert resolve_families(written) == resolved


def test_families_are_those_of_the_paths():
    assert {*FAMILIES, "reactive"} == set(peak_paths.FAMILIES.values())
