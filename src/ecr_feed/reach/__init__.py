"""Can this machine reach what a worker needs? DNS, TCP, proxy and TLS, each by its own name."""

from ecr_feed.reach.connection import ProxyAddress, ProxyRefusedError, SystemWay, Way
from ecr_feed.reach.host_rules import judge_clock, judge_host
from ecr_feed.reach.hosts import Purpose, Where, hosts_for
from ecr_feed.reach.probe import HostReach, Prober, Stage, StageResult
from ecr_feed.text.times import SKEW_LIMIT, ClockOffset, clock_offset

__all__ = [
    "SKEW_LIMIT",
    "ClockOffset",
    "HostReach",
    "Prober",
    "ProxyAddress",
    "ProxyRefusedError",
    "Purpose",
    "Stage",
    "StageResult",
    "SystemWay",
    "Way",
    "Where",
    "clock_offset",
    "hosts_for",
    "judge_clock",
    "judge_host",
]
