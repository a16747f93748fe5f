"""How many decisions a second one core makes; run by hand: `python tests/benchmarks/bench_iam.py`.

Three shapes of load against one ten-statement policy: a handful of requests asked again and again,
requests made anew each time, and a new repository each time (nothing remembered helps).
"""

# ruff: noqa: T201  # a benchmark prints

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from ecr_feed.iam import Policies, Request, decide, parse

USER = "arn:aws:iam::123456789012:user/octopus"
REPOSITORY = "arn:aws:ecr:eu-west-1:123456789012:repository/"
ACTIONS = ("ecr:GetAuthorizationToken", "ecr:DescribeImages", "ecr:BatchGetImage", "ecr:PutImage")
CONTEXT = {"aws:SourceIp": "203.0.113.7", "aws:SecureTransport": "true"}


def policy() -> Policies:
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
            "Resource": f"{REPOSITORY}team/*",
            "Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "203.0.113.0/24"]}},
        },
    ]
    statements += [
        {
            "Effect": "Allow",
            "Action": ["ecr:Describe*", "ecr:List*", "ecr:GetRepositoryPolicy"],
            "Resource": [f"{REPOSITORY}team/app{index}", f"{REPOSITORY}team/svc{index}-*"],
        }
        for index in range(7)
    ]
    document = {"Version": "2012-10-17", "Statement": statements}
    return Policies(identity=(parse(document, name="feed"),))


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


def main() -> None:
    """Print the three rates."""
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


if __name__ == "__main__":
    main()
