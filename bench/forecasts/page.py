"""The results as a page of the documentation, losses shown like wins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from agent.fitting.walked import MODEL
from bench.forecasts import loads, traces
from bench.forecasts.peers import IS_INSTALLED, PEERS_ABSENT
from bench.forecasts.run import PLAN, Results
from bench.forecasts.summary import BASELINE, DECIDING, Duel, Row, duels, geometric_mean, rows
from bench.forecasts.walk import Score

COMMAND = "make bench-forecasts ARGS='--markdown docs/benchmarks/forecasts.md'"


def page(results: Results) -> str:
    """Return the page as Markdown."""
    return "\n\n".join(part for part in _parts(results) if part) + "\n"


def _parts(results: Results) -> Iterable[str]:
    yield _head(results)
    yield f"## Generated loads\n\n{_what(results.made_up)}"
    yield _summary(rows(results.made_up))
    yield _loads()
    yield _by_series(results.made_up)
    yield _duels(duels(results.made_up))
    yield f"## Real traces\n\n{_rule() if results.real else 'There were none where this was measured.'}"
    if results.real:
        yield _summary(rows(results.real))
        yield _by_series(results.real)
        yield _duels(duels(results.real))


def _head(results: Results) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in results.versions.items())
    absent = "" if IS_INSTALLED else f"\n\n**{PEERS_ABSENT[0].upper()}{PEERS_ABSENT[1:]}.**"
    made = (
        f"Made by `{COMMAND}` on {results.began:%Y-%m-%d},\nin {results.cpu_seconds:.0f} s of CPU; not edited by hand."
    )
    scored, learning = PLAN.scored.days, PLAN.learning.days
    look_ahead = PLAN.look_ahead * loads.STEP // timedelta(minutes=1)
    return f"""# Forecasts beside statsforecast's

{made} {versions}.{absent}

What is foretold is what decisions read: quantiles of the **largest demand within the look-ahead**, here
{look_ahead} min on a grid of 5 min. At each step of the newest {scored} days a model has seen what came before
and nothing else: it is fitted, walks over {learning} days on which its errors may be learned, is fitted again,
and is then scored on data that its parameters never saw. Models whose answers changed when only the future was changed:
{", ".join(results.peeking) or "none"}.

- **loss**: pinball loss over that of `{BASELINE}`, which is persistence with a margin learned from its errors;
  geometric mean over the series. Below 1 is better.
- **coverage**: share of peaks at or below what was foretold; mean over the series, and the least of a series at
  {DECIDING[-1]:.0%}, the highest quantile that decisions follow.
- **MASE**: error of the median over the error of the peak of this time yesterday; mean over the series.
- **refit, update**: CPU on one thread; an update is a value taken in and a peak foretold.

`{MODEL}` is the regression that decisions follow: fitted on the newest fortnight, asked as the agent asks it, its
quantiles as they are. Values here are 5 min apart, so each update looks up days and weeks anew, which the agent does
once for several samples. The other models of ours foretell a path: the median's peak, never below the newest value, as
in a decision, and here plus what past errors ask for, where a decision has the margins of its experts.
statsforecast's models give an interval per step; their bare names are the largest of the steps' quantiles, and
*calibrated* is the same model read as our paths are.

There is no row for a mixture, because the agent mixes no forecasts. It mixes decisions: it publishes the mean need of
the experts that would have been cheapest under the policy's HPA. What that is worth is measured in
[Decisions beside reactive scaling](decisions.md).

statsforecast's models are fitted on the newest week, with a season of a day. AutoARIMA's
seasonal search takes over 100 s at 288 steps a day, so it stands here without a season, and with Fourier terms of the
day. AutoETS and AutoARIMA with Fourier terms are fitted once, because a fit takes seconds. MSTL keeps its season and
carries AutoETS on, because its own `forward` decomposes everything again."""


def _what(scores: Sequence[Score]) -> str:
    origins = scores[0].origins
    return f"Three weeks each, the same on every run; {origins} origins a series."


def _rule() -> str:
    return (
        f"The first {traces.PER_FOLDER} of each folder, by name, with at least {traces.LEAST.days} days at "
        f"{traces.STEP // timedelta(minutes=1)} min or finer; of longer ones the newest {traces.MOST.days} days. "
        "The rule was fixed before anything was measured. The models of paths are not tuned to them; how hard the "
        f"regression of `{MODEL}` pulls towards zero was chosen on real traces, and these may be among them."
    )


def _loads() -> str:
    return "\n".join(f"- **{name}**: {_sentence(make.__doc__)}" for name, make in loads.LOADS.items())


def _summary(found: Sequence[Row]) -> str:
    head = ("model", *(f"loss {level:.0%}" for level in DECIDING), *(f"coverage {level:.0%}" for level in DECIDING))
    head = (*head, f"worst {DECIDING[-1]:.0%}", "MASE", "refit ms", "update ms")
    return _table(head, [_summary_cells(row) for row in found])


def _summary_cells(row: Row) -> list[str]:
    return [
        _name(row.model, is_peer=row.is_peer),
        *(f"{row.loss[level]:.2f}" for level in DECIDING),
        *(f"{row.coverage[level]:.1%}" for level in DECIDING),
        f"{row.worst_coverage:.1%}",
        "" if row.mase is None else f"{row.mase:.2f}",
        f"{row.refit_ms:.1f}",
        f"{row.update_ms:.2f}",
    ]


def _by_series(scores: Sequence[Score]) -> str:
    """Return the loss at 95 % of each model on each series, in percent of the series' mean."""
    series = list(dict.fromkeys(score.series for score in scores))
    found = {(score.model, score.series): score for score in scores}
    models = {score.model: score.is_peer for score in scores}
    cells = [
        [_name(model, is_peer=is_peer), *(f"{100 * found[model, name].pinball[0.95]:.3g}" for name in series)]
        for model, is_peer in models.items()
    ]
    return "Pinball loss at 95 %, in percent of the series' mean demand:\n\n" + _table(("model", *series), cells)


def _duels(fought: Sequence[Duel]) -> str:
    """Return the best of ours against the best of theirs, series by series."""
    if not fought:
        return ""
    cells = [
        [duel.series, duel.ours, duel.peer, f"**{duel.ratio:.3f}**" if duel.ratio > 1 else f"{duel.ratio:.3f}"]
        for duel in fought
    ]
    cells.append(["all", "", "", f"{geometric_mean(duel.ratio for duel in fought):.3f}"])
    said = "The best of ours against the best of statsforecast's, both chosen in hindsight; bold where ours is worse:"
    return f"{said}\n\n{_table(('series', 'ours', 'theirs', 'loss, ours over theirs'), cells)}"


def _name(model: str, *, is_peer: bool) -> str:
    return f"statsforecast {model}" if is_peer else f"`{model}`"


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())


def _table(head: Sequence[str], cells: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
