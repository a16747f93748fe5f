"""What a person sees while a run reads."""

from __future__ import annotations

from ecr_feed.plugin.live import INTERVAL, Progress, Steps


def test_progress_counts_every_call_and_shows_some() -> None:
    progress = Progress(started=99.0)
    assert progress.call("Production ECR", 99.0 + INTERVAL / 2) is None
    assert not progress.showing
    assert progress.call("Production ECR", 99.5) == "reading Production ECR: 2 calls, 0.5 s"
    assert progress.call("Production ECR", 99.5 + INTERVAL / 2) is None
    assert progress.showing
    for _ in range(97):
        progress.call("Production ECR", 99.6)
    assert progress.call("a\x1b[2J", 105.0) == "reading a\\x1b[2J: 101 calls, 17 a second, 6.0 s"


def test_a_step_says_every_tenth_of_its_checks() -> None:
    steps = Steps()
    said = [steps.done(20) for _ in range(20)]
    assert [message is not None for message in said] == [number % 2 == 1 for number in range(20)]
