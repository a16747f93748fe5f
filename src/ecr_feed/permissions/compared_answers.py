"""The answers about one permission side by side: which one decides, and where they differ. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ecr_feed.facts.aws import Answer, Permission
from ecr_feed.iam import Decision


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers about one action on one resource, the most reliable first.

    `decision` is the evaluation's, with its reasons; None where there was no evaluation. `unnamed`:
    the documents of a plan do not name the user or role.
    """

    action: str
    resource: str
    witnesses: tuple[Permission, ...]
    decision: Decision | None = None
    unnamed: bool = False

    @property
    def probe(self) -> Permission | None:
        """The feed's own call or download, where it was made."""
        return next((each for each in self.witnesses if each.witness == "probe"), None)

    @property
    def determined(self) -> tuple[Permission, ...]:
        """The answers that allow or deny."""
        return tuple(each for each in self.witnesses if each.answer is not Answer.UNDETERMINED)

    @property
    def disagree(self) -> bool:
        """Two answers differ."""
        return len({each.answer for each in self.determined}) > 1

    @property
    def answer(self) -> Answer:
        """The call's answer; without a call, what the others agree on, else undetermined."""
        if self.probe is not None and self.probe.answer is not Answer.UNDETERMINED:
            return self.probe.answer
        answers = {each.answer for each in self.determined}
        return answers.pop() if len(answers) == 1 else Answer.UNDETERMINED

    @property
    def downloaded(self) -> object:
        """What a pull of this run downloaded, as JSON values; None where it proves nothing."""
        return self.probe.evidence.get("downloaded") if self.probe is not None else None

    @property
    def stated(self) -> Mapping[str, list[str]]:
        """The stated values, by key, that the evaluation rests on; without it, the simulation."""
        found = {each.witness: each.evidence.get("assumed") for each in self.determined}
        said = found.get("evaluation") if "evaluation" in found else found.get("simulation")
        return said if isinstance(said, dict) else {}

    @property
    def assumed(self) -> Mapping[str, list[str]]:
        """The stated values that `answer` rests on: none where a call gave it."""
        called = self.probe is not None and self.probe.answer is not Answer.UNDETERMINED
        return {} if called or self.answer is Answer.UNDETERMINED else self.stated

    @property
    def private_ranges(self) -> tuple[str, ...]:
        """The private addresses that a condition wants, where that is why it is denied."""
        said = [each.evidence.get("private_ranges") for each in self.witnesses]
        found = next((each for each in said if isinstance(each, list)), [])
        return tuple(map(str, found))

    @property
    def because(self) -> str:
        """The reason of the answer that decided, or of all that could not.

        A simulation only says that nothing allows it; the evaluation names the statement.
        """
        decided = {each.witness: each for each in self.determined if each.answer is self.answer}
        for witness in ("probe", "evaluation", "simulation"):
            if witness in decided:
                return decided[witness].because
        if len(self.witnesses) == 1:
            return self.witnesses[0].because
        said = "; ".join(f"{each.witness}: {each.because}" for each in self.witnesses)
        return said or "no answer could be obtained"
