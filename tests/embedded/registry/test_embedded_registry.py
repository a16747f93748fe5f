"""The prober in embedded mode: the real names, on loopback, with the account's faults."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any, cast

from ecr_feed.embedded.faults import Fault
from ecr_feed.facts.aws import Trouble
from ecr_feed.reach import Prober, Purpose, Stage, WorkerHost, hosts_for
from tests.embedded.registry.served import Served
from tests.embedded.world import ACCOUNT, REGION

HOSTS = hosts_for(REGION, ACCOUNT, iam=True)


def test_every_host_of_the_account_is_reached(served: Served) -> None:
    found = Prober(served.embedded.way()).probe_all(HOSTS)
    assert [(reach.where.purpose, reach.ok) for reach in found] == [(p, True) for p in Purpose]


def test_other_names_are_not_known(served: Served) -> None:
    prober = Prober(served.embedded.way())
    for host in ("api.ecr.eu-west-9.amazonaws.com", "example.com", "s3.amazonaws.com"):
        broken = prober.probe(WorkerHost(Purpose.API, host)).broken
        assert broken is not None
        assert broken.stage is Stage.DNS


KINDS = {
    "dns": (Stage.DNS, Trouble.DNS),
    "refused": (Stage.TCP, Trouble.REFUSED),
    "connect-timeout": (Stage.TCP, Trouble.TIMEOUT),
    "reset": (Stage.TLS, Trouble.RESET),
    "read-timeout": (Stage.TLS, Trouble.TIMEOUT),
    "tls": (Stage.TLS, Trouble.TLS),
    "proxy": (Stage.PROXY, Trouble.PROXY),
}
FAULTS = {
    Purpose.LAYERS: Fault(service="registry", operation="layer"),
    Purpose.REGISTRY: Fault(service="registry", operation="ping"),
    Purpose.API: Fault(service="ecr"),
    Purpose.STS: Fault(service="sts"),
    Purpose.IAM: Fault(service="iam"),
}


def test_a_fault_is_met_at_its_stage_by_its_host_alone(served: Served) -> None:
    faults, prober = served.world.core.faults, Prober(served.embedded.way())
    for (purpose, fault), (kind, (stage, trouble)) in product(FAULTS.items(), KINDS.items()):
        faults.clear()
        faults.add(replace(fault, connection=cast("Any", kind), times=1))
        for _ in range(2):  # looking uses nothing up
            found = [reach for reach in map(prober.probe, HOSTS) if not reach.ok]
            assert [reach.where.purpose for reach in found] == [purpose]
            bad = found[0].broken
            assert bad is not None
            assert (bad.stage, bad.failure and bad.failure.trouble) == (stage, trouble)
