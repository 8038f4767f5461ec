"""Names that a package loads when they are first used."""

import sys

import pytest

from runkit import lazy

get, names = lazy.exports("json", {"quote": "encoder", "JSONDecodeError": "decoder"})


def test_a_name_is_that_of_its_module():
    import json.decoder

    assert get("JSONDecodeError") is json.decoder.JSONDecodeError


def test_an_unknown_name_is_an_attribute_error_that_names_the_package():
    with pytest.raises(AttributeError, match=r"module 'json' has no attribute 'nam'"):
        get("nam")


def test_all_names_are_listed_once_with_those_that_are_there():
    assert {"quote", "JSONDecodeError", "loads"} <= set(names())
    assert names() == sorted(set(names()))


def test_nothing_is_imported_before_it_is_used():
    sys.modules.pop("wsgiref.headers", None)
    load, _ = lazy.exports("wsgiref", {"Headers": "headers"})
    assert "wsgiref.headers" not in sys.modules
    assert load("Headers") is sys.modules["wsgiref.headers"].Headers
