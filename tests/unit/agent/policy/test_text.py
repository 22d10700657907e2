import pytest

from agent.policy.text import MOST_BYTES, Unreadable, read_documents


def value(text):
    (document,) = read_documents(text)
    return document.value


def test_values_are_plain():
    assert value("{a: 1, b: -2.5, c: true, d: null, e: [x, '1']}") == {
        "a": 1,
        "b": -2.5,
        "c": True,
        "d": None,
        "e": ["x", "1"],
    }


@pytest.mark.parametrize(
    "text", ["2026-01-31", "2026-01-31T08:00:00Z", "1:30", "0o17", "017", "1_000", ".nan", "-.inf"]
)
def test_what_yaml_would_turn_into_something_else_stays_text(text):
    assert value(f"a: {text}") == {"a": text}


@pytest.mark.parametrize("text", ["on", "yes", "No", "OFF"])
def test_a_word_that_yaml_takes_for_a_boolean_is_refused(text):
    with pytest.raises(Unreadable, match=f'write "{text}" for text') as caught:
        read_documents(f"a:\n  b: {text}\n")
    assert (caught.value.line, caught.value.path) == (2, ("a", "b"))


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "is given twice, here and in line 1", 3),
        ("a: 1\n2: x\n", "must have text as key", 2),
        ("on: x\n", "must have text as key", 1),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "must not merge", 3),
        ("a: !!python/object/apply:os.system [ls]\n", "must not have a tag", 1),
        ("a: !secret x\n", "must not have a tag", 1),
        ("a: [1\nb: 2\n", "is not YAML", 2),
        ("a: \x07\n", "is not YAML", None),
        ("a: &x [*x]\n", "must not expand aliases without end", 1),
    ],
)
def test_what_yaml_hides_is_refused_with_its_line(text, rule, line):
    with pytest.raises(Unreadable, match=rule) as caught:
        read_documents(text)
    assert caught.value.line == line


def test_aliases_that_multiply_are_refused_before_they_fill_the_memory():
    layers = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    with pytest.raises(Unreadable, match="without end"):
        read_documents(f"a0: &a0 [x, x]\n{layers}")


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 5_000, "- " * 40 + "x"])
def test_deep_nesting_is_refused_and_ends_no_process(text):
    with pytest.raises(Unreadable, match="nest"):
        read_documents(text)


def test_a_text_beyond_a_mebibyte_is_refused():
    with pytest.raises(Unreadable, match="at most 1 MiB"):
        read_documents("#" * (MOST_BYTES + 1))


def test_an_alias_is_what_it_stands_for():
    assert value("a: &x {b: 1}\nc: *x\n") == {"a": {"b": 1}, "c": {"b": 1}}


def test_json_with_tabs_is_read():
    assert value('{\n\t"a": [1, 2.5, "x"],\n\t"b": true\n}') == {"a": [1, 2.5, "x"], "b": True}


def test_empty_documents_are_left_out():
    assert [document.value for document in read_documents("---\n# nothing\n---\na: 1\n---\n")] == [{"a": 1}]


def test_lines_are_those_of_the_nearest_part_that_is_there():
    (document,) = read_documents("a:\n  b:\n    - c: 1\n    - d: 2\n")
    assert document.line_of(("a", "b", 1, "d")) == 4
    assert document.line_of(("a", "missing", "more")) == 1
