from __future__ import annotations

from agent.cluster.documents import Document, Documents


def told(version: str, *, name: str = "chat", uid: str = "a", **more: object) -> Document:
    return {"metadata": {"namespace": "ml", "name": name, "uid": uid, "resourceVersion": version}, **more}


def test_the_newest_version_stays_whatever_is_told_again() -> None:
    documents = Documents()
    documents.put(told("9", spec=1))
    documents.put(told("10", spec=2))
    changes = documents.changes
    documents.put(told("9", spec=1))  # a watch that begins anew
    assert documents.get(("ml", "chat")) == told("10", spec=2)
    assert documents.changes == changes


def test_an_object_that_was_made_anew_under_its_name_counts_from_the_beginning() -> None:
    documents = Documents()
    documents.put(told("10"))
    documents.put(told("3", uid="b"))
    documents.remove(told("10"))  # the word of the first one's end, late
    assert documents.get(("ml", "chat")) == told("3", uid="b")
    documents.remove(told("4", uid="b"))
    assert documents.all() == []


def test_a_list_is_all_there_is() -> None:
    documents = Documents()
    documents.put(told("1", name="gone"))
    documents.replace([told("2", name="b"), told("3", name="a")])
    assert [document["metadata"]["name"] for document in documents.all()] == ["a", "b"]


def test_what_is_not_in_a_new_list_is_gone_unless_it_came_after_the_list() -> None:
    documents = Documents()
    for version, name in (("10", "chat"), ("11", "gone"), ("30", "late")):
        documents.put(told(version, name=name))
    changes = documents.changes
    listed = [told("10", name="chat"), told("15", name="new")]
    assert documents.settle(listed, version="20", namespace=None) == 1
    assert [each["metadata"]["name"] for each in documents.all()] == ["chat", "late", "new"]
    assert documents.changes == changes + 1


def test_an_older_list_takes_nothing_back_and_one_that_says_the_same_changes_nothing() -> None:
    documents = Documents()
    documents.put(told("30", spec=2))
    changes = documents.changes
    assert documents.settle([told("20", spec=1)], version="25", namespace=None) == 0
    assert documents.settle([told("30", spec=2)], version="40", namespace=None) == 0
    assert documents.get(("ml", "chat")) == told("30", spec=2)
    assert documents.changes == changes


def test_the_list_of_a_namespace_says_nothing_of_others() -> None:
    documents = Documents()
    documents.put(told("10"))
    assert documents.settle([], version="20", namespace="other") == 0
    assert documents.settle([], version="20", namespace="ml") == 1
