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
