"""A kind that may not be watched is told with what to grant, and costs the watch of no other."""

from __future__ import annotations

from agent.cluster.others import HPAS
from agent.cluster.rights import WatchRights
from agent.cluster.targets import DEPLOYMENTS
from tests.fakes.reviews import Granted

KINDS = (DEPLOYMENTS, HPAS)


async def test_with_all_rights_nothing_is_missing() -> None:
    rights = WatchRights(Granted(), [])
    assert not await rights.look(KINDS)
    assert rights.missing == {}


async def test_the_verbs_that_are_missing_are_named_with_the_namespace() -> None:
    rights = WatchRights(Granted(("deployments", "watch")), ["ml", "batch"])
    assert await rights.look(KINDS)
    assert rights.missing == {DEPLOYMENTS: "let the service account watch deployments.apps in namespace ml"}
    both = WatchRights(Granted(("deployments", "watch"), ("deployments", "list")), [])
    await both.look(KINDS)
    assert both.missing == {DEPLOYMENTS: "let the service account list and watch deployments.apps"}


async def test_what_is_granted_or_taken_away_later_is_a_change() -> None:
    reviewer = Granted(("deployments", "watch"))
    rights = WatchRights(reviewer, [])
    assert [await rights.look(KINDS), await rights.look(KINDS)] == [True, False]
    reviewer.missing = set()
    assert await rights.look(KINDS)
    assert rights.missing == {}


async def test_while_nobody_answers_what_was_known_stands() -> None:
    reviewer = Granted(("deployments", "watch"))
    rights = WatchRights(reviewer, [])
    await rights.look(KINDS)
    reviewer.answers = False
    assert not await rights.look(KINDS)
    assert rights.missing.keys() == {DEPLOYMENTS}
