from __future__ import annotations

import json
import pickle
import tomllib
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ecr_feed.config import ConfigError, Suite, from_tables, load, schema
from ecr_feed.config.models import schema_text
from tests.config.toml_text import suites, toml_of

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
KEYS = [
    *("feed", "docker_feed", "auditor", "name", "region", "packages", "id", "worker"),
    *("credentials", "profile", "login", "file", "url", "account", "role_arn", "zz"),
]
EXAMPLE = FIXTURES / "feeds.example.toml"


@given(suites())
def test_what_is_written_is_read_and_fits_the_schema(suite: Suite) -> None:
    tables = tomllib.loads(toml_of(suite))

    assert from_tables(tables, base=Path("/base"), source="feeds.toml") == suite
    jsonschema.Draft202012Validator(schema()).validate(tables)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(KEYS),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ).filter(lambda value: isinstance(value, dict))
)
def test_any_tables_are_a_suite_or_one_paragraph(tables: dict[str, object]) -> None:
    message = "feeds.toml: none"
    try:
        from_tables(tables, base=Path("/base"), source="feeds.toml")
    except ConfigError as error:
        message = str(error)
    assert message.startswith("feeds.toml: ")
    assert message.isprintable()
    assert len(message) < 900


def test_the_example_loads_and_fits_the_schema() -> None:
    suite = load(EXAMPLE)

    assert {feed.credentials.kind for feed in suite.feeds} == {
        "profile",
        "environment",
        "oidc",
        "worker",
    }
    assert len(suite.docker_feeds) == 2
    tables = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema()).validate(tables)


def test_the_committed_schema_is_the_models_own() -> None:
    committed = (FIXTURES / "feeds.schema.json").read_text(encoding="utf-8")

    assert committed == schema_text(), "python -m ecr_feed.config > fixtures/feeds.schema.json"
    jsonschema.Draft202012Validator.check_schema(json.loads(committed))


def test_each_key_of_the_schema_says_what_it_is_for() -> None:
    tables = [schema(), *schema()["$defs"].values()]

    for table in tables:
        for name, key in table["properties"].items():
            assert key["title"], name
            assert key["description"], name


@pytest.mark.parametrize(
    "tables",
    [
        {"feed": []},
        {"feed": [{"name": "x"}]},
        {"feeds": []},
        {"auditor": {"profile": "x", "worker": True}},
        {"feed": [{"name": "x", "region": "r", "packages": [], "credentials": {"worker": True}}]},
        {"docker_feed": [{"name": "x", "region": "r", "login": {"file": "f", "url": "u"}}]},
    ],
)
def test_what_the_models_refuse_the_schema_refuses_mostly(tables: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        from_tables(tables, base=Path("/base"), source="feeds.toml")
    if tables != {"feed": []}:  # the schema cannot tell an empty list from none without a twist
        assert list(jsonschema.Draft202012Validator(schema()).iter_errors(tables))


def test_models_are_frozen_hashed_and_pickled() -> None:
    feed = load(EXAMPLE).feeds[0]

    with pytest.raises(ValidationError):
        feed.region = "us-east-1"
    assert hash(feed) == hash(load(EXAMPLE).feeds[0])
    assert pickle.loads(pickle.dumps(feed)) == feed
