"""Judges a permission by its three answers: live call, simulation and evaluation."""

from __future__ import annotations

from ecr_feed.facts.aws import Answer, Permission, ReadError, Trouble
from ecr_feed.naming import is_repository_name
from ecr_feed.outcomes import expect, not_applicable, not_assessed, note
from ecr_feed.permissions.answers import PROBED, Answers, Rights
from ecr_feed.permissions.blockers import policy_type
from ecr_feed.permissions.fixes import all_answers, policy_fix

NO_AUDITOR = "No auditor is configured to read IAM ([auditor] in the feeds file)."


def expect_allowed(rights: Rights, action: str, package: str | None) -> None:
    """Not met where the action is denied; not applicable without a repository."""
    if package is not None and not is_repository_name(package):
        not_applicable("No repository can have this name (REPO-2).")
    if package is not None and action not in PROBED:
        _needs_repository(rights, package)
    answers = rights.answers(action, package)
    if _missing(answers.probe):
        not_applicable("Its repository is missing (REPO-1).")
    note(**evidence(answers))
    if answers.answer is Answer.UNDETERMINED:
        not_assessed(_undetermined(answers))
    allowed = answers.answer is Answer.ALLOWED
    if not allowed and rights.unknown and not _is_explicit(answers):
        not_assessed(f"A policy is unknown until the plan is applied: {rights.unknown[0]}")
    subject = f" on {package}" if package else ""
    expect(
        allowed,
        f"The feed may not call {action}{subject}.",
        expected=f"{action} allowed on {answers.resource}",
        found=answers.because,
        fix=None if allowed else policy_fix(rights, answers),
    )


def expect_witnessed(rights: Rights, action: str, package: str) -> None:
    """A permission without a live call, since the call would count as a pull."""
    if not rights.has_auditor:
        not_applicable(NO_AUDITOR)
    expect_allowed(rights, action, package)


def disagreements(rights: Rights) -> list[str]:
    """The permissions on which the answers disagree, with the likely causes.

    Ends the check as not assessed where no permission has two answers to compare.
    """
    heard = list(all_answers(rights))
    if not any(len(each.determined) > 1 for each in heard):
        mute = [w for each in heard for w in each.witnesses if w.answer is Answer.UNDETERMINED]
        failed = next((each.failure for each in mute if each.failure is not None), None)
        if failed is not None:
            raise ReadError(failed)
        not_assessed(mute[0].because if mute else "No permission has two answers to compare.")
    return [_contradiction(each) for each in heard if each.disagree]


def disagreement_fix(rights: Rights) -> str | None:
    """The policy to change, where AWS's message names its type; else None."""
    for each in all_answers(rights):
        probe = each.probe
        if each.disagree and probe is not None and probe.answer is Answer.DENIED:
            kind = str(probe.evidence.get("policy_type") or "")
            if kind:
                return f"Allow {each.action} on {each.resource} in the {policy_type(kind)}."
    return None


_UNSEEN = "check resource control, registry, session and endpoint policies, and conditions"


def _contradiction(answers: Answers) -> str:
    said = ", ".join(f"{each.witness} {each.answer}" for each in answers.determined)
    probe = answers.probe
    cause = "neither covers every policy layer and the real request context"
    if probe is not None and probe.answer is Answer.DENIED:
        kind = str(probe.evidence.get("policy_type") or "")
        cause = f"AWS names the {policy_type(kind)}" if kind else _UNSEEN
    return f"{answers.action} on {answers.resource}: {said} ({cause})"


def _is_explicit(answers: Answers) -> bool:
    """An explicit Deny applies, whatever other policies allow."""
    decision = answers.decision
    return decision is not None and decision.outcome == "explicit deny"


def _needs_repository(rights: Rights, package: str) -> None:
    """Not applicable without one; where that is unknown (see REPO-1) the answers still count."""
    if package not in rights.packages():
        not_applicable("Its repository is missing (REPO-1).")


def _missing(probe: Permission | None) -> bool:
    failure = probe.failure if probe is not None else None
    return failure is not None and failure.trouble is Trouble.NOT_FOUND


def _undetermined(answers: Answers) -> str:
    if answers.disagree:
        said = "; ".join(f"{each.witness}: {each.answer}" for each in answers.determined)
        return f"The answers disagree on {answers.action} ({said}); see PERM-8."
    return f"{answers.action} on {answers.resource}: {answers.because}"


def evidence(answers: Answers) -> dict[str, object]:
    """The three answers, as JSON values."""
    failed = next((each.failure for each in answers.witnesses if each.failure), None)
    return {
        "action": answers.action,
        "resource": answers.resource,
        "witnesses": [
            {
                "witness": each.witness,
                "answer": each.answer.value,
                "because": each.because,
                **each.evidence,
            }
            for each in answers.witnesses
        ],
        **({"request_id": failed.request_id} if failed and failed.request_id else {}),
    }
