"""Models of a feeds file -> TOML text, for round trips; strategies that make such models."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from ecr_feed.config import (
    Credentials,
    DockerFeed,
    EnvCredentials,
    Feed,
    LoginFields,
    LoginFile,
    OidcCredentials,
    Package,
    ProfileCredentials,
    StatedKey,
    Suite,
    WorkerCredentials,
)
from ecr_feed.config.context import FIXED
from ecr_feed.config.values import has_control


def toml_of(suite: Suite) -> str:
    """One inline table a feed: the shape does not matter to a reader of TOML."""
    lines = [] if suite.auditor is None else [f"auditor = {_value(_table(suite.auditor))}"]
    for key, feeds in (("feed", suite.feeds), ("docker_feed", suite.docker_feeds)):
        if feeds:
            lines.append(f"{key} = {_value([_table(feed) for feed in feeds])}")
    return "\n".join(lines)


def _table(model: Any) -> dict[str, Any]:
    table: dict[str, Any] = model.model_dump(exclude_none=True)
    return table


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        items = (f"{json.dumps(key)} = {_value(item)}" for key, item in value.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, str | Path):
        # JSON's escapes are TOML's, but for DEL and for pairs of surrogates.
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)


def _plain(text: str) -> bool:
    return bool(text.strip()) and text == text.strip() and not has_control(text)


letters = st.characters(exclude_categories=["Cs", "Cc"])
texts = st.text(letters, min_size=1, max_size=12).filter(_plain)
accounts = st.from_regex(r"[0-9]{12}", fullmatch=True)
variables = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,10}", fullmatch=True)
hours = st.floats(0.25, 8760)
urls = st.sampled_from(["http://localhost:5000", "https://[::1]:443/x", "https://ecr.example"])
files = st.from_regex(r"/[a-z]{1,5}/[a-z ]{0,4}[a-z]", fullmatch=True).map(Path)
roles = st.from_regex(
    re.compile(r"arn:aws(-cn)?:iam::[0-9]{12}:role/([a-z]{1,4}/)?[\w+=,.@-]{1,64}", re.ASCII),
    fullmatch=True,
)

credentials: st.SearchStrategy[Credentials] = st.one_of(
    st.builds(ProfileCredentials, profile=texts),
    st.builds(EnvCredentials, env_prefix=variables),
    st.builds(
        OidcCredentials,
        role_arn=roles,
        audience=texts,
        subject=st.none() | texts,
        token_file=st.none() | files,
        session_seconds=st.integers(900, 43200),
    ),
    st.just(WorkerCredentials(worker=True)),
)
packages = st.builds(
    Package,
    id=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
        lambda text: bool(text.strip())
    ),
    tag=st.none() | texts,
    platform=st.none() | st.sampled_from(["linux/amd64", "linux/arm64/v8", "windows/amd64"]),
)
_named = {
    "name": texts,
    "region": texts,
    "account": st.none() | accounts,
    "endpoint_url": st.none() | urls,
}
feeds = st.builds(
    Feed,
    **_named,
    packages=st.lists(packages, min_size=1, max_size=3, unique_by=lambda each: each.id).map(tuple),
    credentials=credentials,
    pulls=st.booleans(),
    min_token_hours=st.none() | hours,
    longest_deployment_hours=st.none() | hours,
    registry_endpoint=st.none() | urls,
    deep=st.booleans(),
    context=st.lists(
        st.builds(
            StatedKey,
            key=st.from_regex(
                r"(aws|ecr):[A-Za-z]{1,5}(/[a-z]{1,3} ?[a-z])?", fullmatch=True
            ).filter(lambda key: key.lower() not in FIXED),
            values=st.lists(texts, min_size=1, max_size=3, unique=True).map(tuple),
        ),
        max_size=3,
        unique_by=lambda each: each.lower,
    ).map(tuple),
)
docker_feeds = st.builds(
    DockerFeed,
    **_named,
    login=st.builds(LoginFile, file=files)
    | st.builds(LoginFields, username=texts, password_env=variables, url=urls),
    reset_hours=st.none() | hours,
    reset_command=st.none() | texts,
)


@st.composite
def suites(draw: st.DrawFn) -> Suite:
    """One to three feeds whose slugs differ."""
    both = draw(
        st.lists(feeds | docker_feeds, min_size=1, max_size=3, unique_by=lambda each: each.slug)
    )
    return Suite(
        draw(st.none() | credentials),
        tuple(each for each in both if isinstance(each, Feed)),
        tuple(each for each in both if isinstance(each, DockerFeed)),
    )
