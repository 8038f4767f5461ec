"""One printer of tables, for a terminal and for Markdown."""

from runkit import tables


def test_numbers_stand_to_the_right():
    shown = tables.text(["name", "count"], [["one", 1], ["eleven", 11]])
    assert shown == "name    count\none         1\neleven     11"
    shown = tables.text(["share"], [["9.1 %"], [""], ["÷ 12.3"]])
    assert shown.splitlines() == [" share", " 9.1 %", "", "÷ 12.3"]


def test_a_table_without_rows_has_its_head():
    assert tables.text(["a", "b"], []) == "a  b"
    assert tables.markdown(["a", "b"], []) == "| a | b |\n| --- | --- |\n"


def test_markdown():
    table = tables.markdown(["a", "b"], [["x", 1]])
    assert table == "| a | b |\n| --- | --- |\n| x | 1 |\n"
