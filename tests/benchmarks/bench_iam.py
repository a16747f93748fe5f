"""How fast policies are read and decided; run by hand: `python tests/benchmarks/bench_iam.py`.

First, decisions a second of one core, in three shapes of load against one ten-statement policy: a
handful of requests asked again and again, requests made anew each time, and a new repository each
time (nothing remembered helps).

Then reading and deciding from cold, beside the evaluator of ministack (MINISTACK_PYTHON is the
interpreter that has it): both do the same work in turns, in the same minute; the printed ratio is
the median of ours divided by the one of ministack beside it.
"""

# ruff: noqa: T201  # a benchmark prints

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from statistics import median

from ecr_feed.iam import Policies, Request, decide, parse

USER = "arn:aws:iam::123456789012:user/octopus"
REPOSITORY = "arn:aws:ecr:eu-west-1:123456789012:repository/"
ACTIONS = ("ecr:GetAuthorizationToken", "ecr:DescribeImages", "ecr:BatchGetImage", "ecr:PutImage")
CONTEXT = {"aws:SourceIp": "203.0.113.7", "aws:SecureTransport": "true"}


def document(salt: str = "") -> dict[str, object]:
    """Ten statements: nine that name repositories, two of them with conditions, and a Deny."""
    statements: list[dict[str, object]] = [
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Effect": "Allow",
            "Action": "ecr:Batch*",
            "Resource": f"{REPOSITORY}team{salt}/*",
            "Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "203.0.113.0/24"]}},
        },
    ]
    statements += [
        {
            "Effect": "Allow",
            "Action": ["ecr:Describe*", "ecr:List*", "ecr:GetRepositoryPolicy"],
            "Resource": [
                f"{REPOSITORY}team{salt}/app{index}",
                f"{REPOSITORY}team{salt}/svc{index}-*",
            ],
        }
        for index in range(7)
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def policy() -> Policies:
    """That document as the only policy."""
    return Policies(identity=(parse(document(), name="feed"),))


def rate(requests: Iterable[Request], policies: Policies, count: int) -> float:
    """Decisions a second, the making of lazily made requests included."""
    started = time.perf_counter()
    for request in requests:
        decide(request, policies)
    return count / (time.perf_counter() - started)


def anew(count: int, names: Callable[[int], str]) -> Iterator[Request]:
    """Requests made one by one."""
    for index in range(count):
        yield Request(USER, ACTIONS[index % 4], REPOSITORY + names(index), CONTEXT)


ROUNDS = 15
COUNT = 200

LOADS: dict[str, Callable[[int], str]] = {
    "the same text": lambda index: json.dumps(document()),
    "new texts, the same patterns": lambda index: json.dumps(document() | {"Id": str(index)}),
    "new texts, new patterns": lambda index: json.dumps(document(f"-{index}")),
}
"""Documents to read, by the number of the document."""

MINISTACK = """
import json, sys, time
from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document
user, resource = json.loads(sys.stdin.readline())
for line in sys.stdin:
    texts = json.loads(line)
    started = time.process_time()
    for text in texts:
        context = EvalContext(
            user, "User", "123456789012", "ecr:DescribeImages", resource, "eu-west-1",
            source_ip="203.0.113.7", secure_transport=True,
        )
        evaluate(context, [parse_policy_document(text)])
    print(time.process_time() - started, flush=True)
"""


def ours(texts: list[str], resource: str) -> float:
    """Seconds to read each text and decide one request by it."""
    started = time.process_time()
    for text in texts:
        request = Request(USER, "ecr:DescribeImages", resource, CONTEXT)
        decide(request, Policies(identity=(parse(text, name="feed"),)))
    return time.process_time() - started


def beside_ministack(python: str) -> None:
    """Print, for each load, microseconds a document of both and the median ratio of the rounds."""
    resource = f"{REPOSITORY}team/app3"
    with subprocess.Popen(
        [python, "-c", MINISTACK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        if other.stdin is None or other.stdout is None:
            raise RuntimeError("no pipes to ministack")
        print(json.dumps([USER, resource]), file=other.stdin, flush=True)
        made = 0
        for name, text in LOADS.items():
            pairs = []
            for _ in range(ROUNDS):
                texts = [text(made + index) for index in range(COUNT)]
                made += COUNT
                own = ours(texts, resource)
                print(json.dumps(texts), file=other.stdin, flush=True)
                pairs.append((own, float(other.stdout.readline())))
            mine, theirs = (median(each) / COUNT * 1e6 for each in zip(*pairs, strict=True))
            ratio = median(own / beside for own, beside in pairs)
            print(f"{name + ':':<30} {mine:>6,.0f} us, ministack {theirs:>6,.0f} us: {ratio:.2f} x")
        other.stdin.close()


def main() -> None:
    """Print the three rates and, where ministack is, the ratios."""
    policies = policy()
    count = 200_000
    few = [
        Request(USER, ACTIONS[n % 4], f"{REPOSITORY}team/app{n % 10}", CONTEXT) for n in range(20)
    ]
    loads: dict[str, Iterable[Request]] = {
        "the same requests": few * (count // 20),
        "requests made anew": anew(count, lambda index: f"team/app{index % 10}"),
        "new repositories": anew(count, lambda index: f"team/app{index}"),
    }
    for name, requests in loads.items():
        print(f"{name + ':':<20} {rate(requests, policies, count):>9,.0f} decisions a second")
    python = os.environ.get("MINISTACK_PYTHON")
    if python:
        beside_ministack(python)


if __name__ == "__main__":
    main()
