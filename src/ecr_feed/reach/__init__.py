"""Whether this machine reaches the hosts that a worker needs, by DNS, TCP, proxy and TLS."""

from ecr_feed.reach.connection import Connector, ProxyAddress, ProxyRefusedError, SystemConnector
from ecr_feed.reach.host_rules import judge_clock, judge_host
from ecr_feed.reach.probe import HostReach, Prober, Stage, StageResult
from ecr_feed.reach.worker_hosts import Purpose, WorkerHost, hosts_for
from ecr_feed.text.times import SKEW_LIMIT, ClockOffset, clock_offset

__all__ = [
    "SKEW_LIMIT",
    "ClockOffset",
    "Connector",
    "HostReach",
    "Prober",
    "ProxyAddress",
    "ProxyRefusedError",
    "Purpose",
    "Stage",
    "StageResult",
    "SystemConnector",
    "WorkerHost",
    "clock_offset",
    "hosts_for",
    "judge_clock",
    "judge_host",
]
