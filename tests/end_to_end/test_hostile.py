"""Names, tags and messages that are meant to break or to order something: nothing obeys them."""

from __future__ import annotations

import csv
import json
import re
import unicodedata
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from ecr_feed.report.results import schema
from tests.support.moto_server import moto_server, owner, push
from tests.support.proxy import Asked, Reply, ecr_error, query_error, serving
from tests.support.run import Ran, run_checks

PACKAGES = (
    "team/app",
    "team/denied",
    "<b>x</b></script><script>alert(1)</script>",
    "team/<img src=x onerror=alert(1)>",
    "::error::pwned",
    "a\n::error file=x::pwned\n##octopus[setVariable name='QQ==' value='QQ==']",
    "a\r\n##octopus[createArtifact path='QQ==']",
    "##[error]x ##vso[task.setvariable variable=a]b ##teamcity[x]",
    "word" * 30 + "::warning file=x::pwned",
    "right\u202eto\u2066left\u200b",
    "\x1b[31mred\x1b]0;title\x07",
    "a|b|c",
    "a[b]c]",
    "quo\"te's`$(id)",
    '=HYPERLINK("https://example.com")',
    "@SUM(1)",
    "-1+1",
    "é😀漢字",
    "tab\there",
    "back\\slash",
    "{feed.name}{{ 7*7 }}{% raw %}",
    "<!-- ecr-feed: end --></main></body></html>]]>",
    "../../etc/passwd",
    "percent%0A::error::x",
)
FEED = "<script>alert('feed')</script> ##octopus[setVariable] ::error::"
FORMULA = "=cmd|' /C calc'!A0"
AWAY = "##vso[task.setvariable]x</td><script>alert(1)</script>"
KEYS = {
    "OCTOPUS_AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "OCTOPUS_AWS_SECRET_ACCESS_KEY": "x" * 40,
}
NASTY = (
    "first\n::error::pwned\n##octopus[setVariable name='a']\r\n::set-output name=a::b\n"
    "\x1b[2J\u202e<script>alert(1)</script></td>]]>&lt;\x00 ##[command]x ##vso[y] "
    + "word" * 18
    + " ::error file=a::b"
)
LONG = NASTY + "A" * 1_048_576 + "::error::end"


def answer(asked: Asked) -> Reply | None:
    match asked.operation, asked.region:
        case "ListImages", _:
            return ecr_error("AccessDeniedException", LONG)
        case "DescribeImages", _:
            # Half of a pair of surrogates, which JSON can write and UTF-8 cannot.
            return Reply(
                400, b'{"__type": "##octopus[x]::error::", "message": "\\ud83d' + b"A" * 99 + b'"}'
            )
        case "GetCallerIdentity", "eu-west-2":
            return query_error("Failure", "&lt;script&gt; ::error::x ##octopus[x] \u202e" + "A" * 9)
        case "DescribeRepositories", "eu-west-2":
            return ecr_error("ServerException", LONG, 500)
    return None


def toml(texts: tuple[str, ...] | str) -> str:
    return json.dumps(texts, ensure_ascii=False)  # but for \u007f, JSON's texts are TOML's


def table(name: str, region: str, packages: tuple[str, ...]) -> str:
    return (
        f"[[feed]]\nname = {toml(name)}\nregion = {toml(region)}\npackages = {toml(packages)}\n"
        'credentials = { env_prefix = "OCTOPUS_" }\npulls = true\n'
    )


OPTIONS = {
    "loud": ("-vv", "-rA", "--log-cli-level=INFO"),
    "workers": ("-n", "2", "-v", "-rA"),
}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with moto_server(tmp_path_factory.mktemp("moto")) as upstream:
        client = owner(upstream, "ecr", "eu-west-1")
        for name in ("team/app", "team/denied", "team/percent"):
            client.create_repository(repositoryName=name)
            push(client, name, "1.0.0")
        with serving(answer, upstream) as at:
            yield at


@pytest.fixture(scope="module", params=OPTIONS, ids=str)
def ran(
    request: pytest.FixtureRequest, endpoint: str, tmp_path_factory: pytest.TempPathFactory
) -> Ran:
    tmp_path = tmp_path_factory.mktemp("hostile")
    feeds = (
        table(FEED, "eu-west-1", PACKAGES),
        table(FORMULA, "eu-west-2", ("team/app", "team/denied")),
        table("##octopus[away]", AWAY, ("team/app",)),
    )
    (tmp_path / "feeds.toml").write_text("\n".join(feeds), encoding="utf-8")
    service = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "step.md"),
        "GITHUB_OUTPUT": str(tmp_path / "outputs"),
    }
    formats = ("--output-format=ocsf", "--output-format=policy-fix")
    return run_checks(
        tmp_path,
        *("--feeds", str(tmp_path / "feeds.toml"), "--aws-endpoint-url", endpoint),
        *OPTIONS[request.param],
        *formats,
        env={**KEYS, **service, "AWS_MAX_ATTEMPTS": "1"},
    )


def test_the_run_says_its_word(ran: Ran) -> None:
    assert ran.status == 1, ran.text
    assert ran.results["verdict"] == "NOT READY"
    assert "Traceback" not in ran.text
    assert "INTERNALERROR" not in ran.text


def test_no_order_reaches_a_build_server(ran: Ran) -> None:
    ours = re.compile(r"::(?:error|warning) title=[^:]*::")
    orders = [line for line in ran.text.split("\n") if line.lstrip().startswith("::")]
    assert 0 < len(orders) <= 20
    assert not [line for line in orders if not ours.match(line)]
    assert not re.findall(r"##(?=[A-Za-z\[]).{0,60}", ran.text)


def test_nothing_moves_the_cursor_or_turns_the_text(ran: Ran) -> None:
    odd = {letter for letter in ran.text if unicodedata.category(letter) in {"Cc", "Cf", "Cs"}}
    assert odd <= {"\n"}
    assert max(map(len, ran.text.split("\n"))) < 6_000


def test_results_are_whole_and_valid(ran: Ran) -> None:
    Draft202012Validator(schema()).validate(ran.results)
    assert {feed["name"] for feed in ran.results["feeds"]} == {FEED, FORMULA, "##octopus[away]"}
    judged = {finding["package"] for finding in ran.results["findings"]} - {None}
    plain = {name for name in PACKAGES if name.isprintable()}
    assert plain <= judged, plain - judged
    assert len(judged) == len(PACKAGES)
    assert {
        "right\\u202eto\\u2066left\\u200b",
        "\\x1b[31mred\\x1b]0;title\\x07",
        "tab\\there",
    } <= judged
    texts = json.dumps(ran.results, ensure_ascii=False)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", texts)


def test_junit_parses_and_keeps_the_names(ran: Ran) -> None:
    root = ElementTree.parse(ran.report / "junit.xml").getroot()
    cases = list(root.iter("testcase"))
    assert len(cases) >= len(ran.results["findings"])
    subjects = {
        value.get("value")
        for case in cases
        for value in case.iter("property")
        if value.get("name") == "subject"
    }
    assert {name for name in PACKAGES if name.isprintable()} <= subjects


def test_csv_parses_and_runs_no_formula(ran: Ran) -> None:
    with (ran.report / "findings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, strict=True))
    header = "check,severity,gating,feed,package,outcome,message,evidence,fix,test"
    assert rows[0] == header.split(",")
    assert {len(row) for row in rows} == {10}
    assert len(rows) == len(ran.results["findings"]) + 1
    assert not [cell for row in rows for cell in row if cell.lstrip(" ")[:1] in set("=+-@\t\r|%")]
    assert {f"'{FORMULA}", "'##octopus[away]", "##octopus[away]"} & {row[3] for row in rows}


class Page(HTMLParser):
    """Counts elements, keeps attributes, scripts' own text and identifiers."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]


def test_the_page_holds_no_element_of_theirs(ran: Ran) -> None:
    text = (ran.report / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.tags["script"] == 1
    assert page.tags["html"] == page.tags["body"] == page.tags["main"] == 1
    assert not {"iframe", "object", "embed", "base", "form"} & set(page.tags)
    assert not [each for each in page.attributes if each[1].startswith("on")]
    images = {value for tag, name, value in page.attributes if (tag, name) == ("img", "src")}
    assert images <= {"", None}
    links = [value or "" for tag, name, value in page.attributes if (tag, name) == ("a", "href")]
    assert links
    assert not [link for link in links if not re.match(r"#|https://[a-z0-9.-]+/", link)]
    names = Counter(value for _, name, value in page.attributes if name == "id")
    assert not [name for name, number in names.items() if number > 1]
    # pytest-html's script draws these cells as they are.
    blob = next(value for _, name, value in page.attributes if name == "data-jsonblob")
    rows = [row for tests in json.loads(blob or "")["tests"].values() for row in tests]
    cells = [cell for row in rows for cell in row["resultsTableRow"]]
    drawn = Page("".join(cells))
    assert len(rows) >= len(ran.results["findings"])
    assert set(drawn.tags) <= {"td", "a", "div", "span"}
    assert not [each for each in drawn.attributes if each[1].startswith("on")]


def test_every_finding_is_on_the_page(ran: Ran) -> None:
    class Text(HTMLParser):
        shown = ""

        def handle_data(self, data: str) -> None:
            self.shown += data

    reader = Text()
    reader.feed((ran.report / "report.html").read_text(encoding="utf-8"))
    for finding in ran.results["findings"]:
        assert finding["package"] is None or finding["package"] in reader.shown


def test_other_formats_parse_and_are_inert(ran: Ran) -> None:
    events = json.loads((ran.report / "findings.ocsf.json").read_text(encoding="utf-8"))
    assert len(events) == len(ran.results["findings"])
    step = (ran.report.parent / "step.md").read_text(encoding="utf-8")
    assert (ran.report / "summary.md").read_text(encoding="utf-8") == step
    assert not re.search(r"<(?!br>)[a-z/!]", step)
    assert not re.search(r"^\s*::|##(?=[a-z\[])", step, re.MULTILINE)
    outputs = (ran.report.parent / "outputs").read_text(encoding="utf-8").splitlines()
    assert outputs[0] == "verdict=NOT READY"
    assert all(re.fullmatch(r"[a-z_]+=[A-Za-z0-9 ]+", line) for line in outputs)
    for path in ran.report.glob("policy-fix*.json"):
        json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "text",
    [
        table("a", "eu-west-1", ("x",)) + table("##octopus[x] ::error::y", "r", ("x", "x")),
        table("a\x1b[31m\n::error::x", "eu-west-1", ("x",)),
        "[[feed]]\n\"##octopus[setVariable name='a']\" = 1\n",
        "[[feed]]\nname = '##vso[x]'\nregion = 5\n",
        "##octopus[x]\n\x1b[31m = \n",
    ],
)
def test_a_mistake_is_told_without_obeying_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "feeds.toml").write_text(text, encoding="utf-8")
    ran = run_checks(tmp_path, "--feeds", str(tmp_path / "feeds.toml"), env=KEYS)
    assert ran.status == 4, ran.text
    assert not re.findall(r"##(?=[A-Za-z\[]).{0,60}", ran.text)
    assert not re.findall(r"^\s*::.*", ran.text, re.MULTILINE)
    assert not [c for c in ran.text if unicodedata.category(c) in {"Cc", "Cf", "Cs"} and c != "\n"]
