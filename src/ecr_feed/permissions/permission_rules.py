"""The PERM and SCOPE rules: what the feed must be allowed, and what it must not be allowed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ecr_feed.facts.aws import Answer, Failure, Permission, ReadError, Trouble
from ecr_feed.facts.iam import Organization, Principal
from ecr_feed.iam import ActionGroup, GroupExcess, Outcome, PolicyError, breadth
from ecr_feed.naming import is_repository_name
from ecr_feed.outcomes import Judgement, note
from ecr_feed.permissions.answers import Rights
from ecr_feed.permissions.blockers import policy_type
from ecr_feed.permissions.causes import cause
from ecr_feed.permissions.compared_answers import Answers
from ecr_feed.permissions.evaluation import RESOURCE_TAG_KEYS, Evidence, policies_of
from ecr_feed.permissions.fixes import denial_fix
from ecr_feed.permissions.needs import DESCRIBE, PULL, READ, needs
from ecr_feed.permissions.stated_context import in_words
from ecr_feed.text.words import few, many

NO_AUDITOR = "No auditor is configured to read IAM ([auditor] in the feeds file)."
_MISSING = "Its repository is missing (REPO-1)."
_A_PULL = "A pull that this run makes would prove it (deep = true, or --deep)."
_UNSEEN = "check resource control, registry, session and endpoint policies, and conditions"
_WHO = frozenset({"aws:principalarn", "aws:username"})
"""Keys that follow from the user, and are unknown only in a plan that does not say which it is."""
_SHOWN = 20  # actions of a group in the evidence of SCOPE rules


def judge_permission(rights: Rights, action: str, package: str | None) -> Judgement:
    """The feed is allowed the action; not applicable without a repository to judge it on.

    `package` None: the token, or the list without names. Raises ReadError where the feed's own
    call failed for another reason than a denial, and where one failed read leaves every answer
    open.
    """
    if package is not None and not is_repository_name(package):
        return Judgement.not_applicable("No repository can have this name (REPO-2).")
    # Where it is unknown whether there is one (see REPO-1), `packages` has it.
    if package is not None and action not in READ and package not in rights.packages():
        return Judgement.not_applicable(_MISSING)
    answers = rights.answers(action, package)
    if _names_nothing(answers.probe):
        return Judgement.not_applicable(_MISSING)
    evidence = evidence_of(answers)
    if package is None and rights.plan_says.remarks:
        evidence["remarks"] = list(rights.plan_says.remarks)
    if answers.answer is Answer.UNDETERMINED:
        if (failure := _one_failure(answers)) is not None:
            note(**evidence)
            raise ReadError(failure)
        fix = _what_would_decide(answers)
        return Judgement.not_assessed(_undetermined(answers), evidence=evidence, fix=fix)
    allowed = answers.answer is Answer.ALLOWED
    if allowed or not _is_explicit(answers):
        doubt = rights.plan_says.doubt(package, allowed=allowed, decision=answers.decision)
        if doubt:
            return Judgement.not_assessed(doubt, evidence=evidence)
    subject = f" on {package}" if package else ""
    return Judgement.of(
        allowed,
        f"The feed may not call {action}{subject}.",
        expected=f"{action} allowed on {answers.resource}",
        found=rights.shown(cause(answers)),
        because=answers.because,
        fix=None if allowed else rights.shown(denial_fix(rights, answers)),
        evidence=evidence,
    )


def judge_pull_permission(rights: Rights, action: str, package: str) -> Judgement:
    """The same for an action that is not called: a pull proves it, else the auditor answers."""
    if not rights.has_auditor and not rights.is_proved(action, package):
        tail = f" {_A_PULL}" if rights.pulled is None else ""
        return Judgement.not_applicable(f"{NO_AUDITOR}{tail}")
    return judge_permission(rights, action, package)


def judge_listing(rights: Rights) -> Judgement:
    """The feed may list repositories without naming them."""
    if not rights.has_auditor and rights.account.inventory().listing is None:
        return Judgement.not_applicable(f"This run needed no list without names. {NO_AUDITOR}")
    return judge_permission(rights, DESCRIBE, None)


def judge_agreement(rights: Rights) -> Judgement:
    """Live call, simulation and evaluation agree on every permission that the feed needs.

    Not assessed where no permission has two answers to compare. Raises ReadError where that is
    because reading failed, and where those that were read agree and another was not read.
    """
    if not rights.has_auditor:
        return Judgement.not_applicable(NO_AUDITOR)
    answered = list(rights.all_answers())
    if not any(len(each.determined) > 1 for each in answered):
        single = [each for answers in answered for each in answers.witnesses]
        undetermined = [each for each in single if each.answer is Answer.UNDETERMINED]
        failed = next((each.failure for each in undetermined if each.failure is not None), None)
        if failed is not None:
            raise ReadError(failed)
        reasons = (each.because for each in undetermined)
        return Judgement.not_assessed(next(reasons, "No permission has two answers to compare."))
    differing = [each for each in answered if each.disagree]
    unread = [*rights.unanswered(), *_unsimulated(answered)]
    if not differing and unread:
        raise ReadError(unread[0])
    stated = {key: values for each in answered for key, values in each.stated.items()}
    return Judgement.of(
        not differing,
        f"The answers disagree about {many(len(differing), 'permission')}.",
        expected="the same answer from live call, simulation and evaluation",
        found="; ".join(_contradiction(each) for each in differing) or _agreement(answered),
        fix=next((fix for each in differing if (fix := _correction(each))), None),
        evidence={"assumed": stated} if stated else None,
    )


def _unsimulated(answered: Sequence[Answers]) -> list[Failure]:
    """Why IAM's simulation did not answer.

    Organisation policies that nobody could read are left out: PERM-5 and PERM-6 report them.
    """
    witnesses = [witness for each in answered for witness in each.witnesses]
    failures = [each.failure for each in witnesses if each.witness == "simulation"]
    return [each for each in failures if each is not None and each.service != "organizations"]


def _agreement(answered: Sequence[Answers]) -> str:
    """On how many permissions the answers agree, and which answers could not be had."""
    compared = [each for each in answered if len(each.determined) > 1]
    witnesses = [witness for each in answered for witness in each.witnesses]
    open_ = Counter(each.witness for each in witnesses if each.answer is Answer.UNDETERMINED)
    without = (f"; no answer from {witness} on {n}" for witness, n in sorted(open_.items()))
    return f"the same answer on {many(len(compared), 'permission')}" + "".join(without)


def judge_breadth(rights: Rights, principal: Principal, *groups: ActionGroup) -> Judgement:
    """The identity's own policies grant nothing of these groups beyond the feed's needs.

    The organisation's limits are left out: they are not this identity's own policies. What was
    granted is enough to be not met, unless the boundary, which may forbid it, could not be read; to
    be met, every policy has to be read.
    """
    if principal.kind == "root":
        return Judgement.not_applicable("No IAM policy limits the root user (IDENT-3).")
    try:
        policies = policies_of(Evidence(principal, Organization(member=False)))
    except PolicyError as error:
        return Judgement.not_assessed(f"A policy is malformed at {error.path}: {error.reason}")
    wanted = needs(rights.account.feed, rights.account_id())
    found = [each for each in breadth(policies, wanted) if each.group in groups]
    if not found and (item := rights.plan_says.may_grant) is not None:
        return Judgement.not_assessed(f"Unknown until the plan is applied: {item.says}")
    if principal.unread and (not found or principal.boundary_unread):
        said = principal.unread[0].summary
        granted = {str(each.group): _actions(each) for each in found}
        return Judgement.not_assessed(
            f"Not every policy could be read: {said}",
            evidence={"granted_by_those_read": granted} if granted else None,
        )
    return Judgement.of(
        not found,
        f"The identity may do more than a feed needs: {'; '.join(f.summary for f in found)}.",
        expected="nothing but the actions that a feed needs",
        found=[str(ref) for each in found for ref in each.statements]
        or "nothing but the actions that a feed needs",
        evidence={str(each.group): _actions(each) for each in found},
    )


def evidence_of(answers: Answers) -> dict[str, object]:
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
        **({"assumed": dict(answers.assumed)} if answers.assumed else {}),
        **({"downloaded": answers.downloaded} if answers.downloaded else {}),
        **({"request_id": failed.request_id} if failed and failed.request_id else {}),
    }


def _denied_by(answers: Answers) -> str | None:
    """The type of the policy that AWS names for a denied call, "" for none; None: not denied."""
    probe = answers.probe
    if probe is None or probe.answer is not Answer.DENIED:
        return None
    kind = str(probe.evidence.get("policy_type") or "")
    return policy_type(kind) if kind else ""


def _correction(answers: Answers) -> str | None:
    """The stated value to correct; else the policy to change, where AWS names its type."""
    if answers.stated:
        said = in_words(answers.stated)
        return f"Correct the stated {said}, where the feed's requests have another value."
    kind = _denied_by(answers)
    return f"Allow {answers.action} on {answers.resource} in the {kind}." if kind else None


def _contradiction(answers: Answers) -> str:
    said = ", ".join(f"{each.witness} {each.answer}" for each in answers.determined)
    kind, probe = _denied_by(answers), answers.probe
    if answers.stated:
        cause = f"assumed, as stated: {in_words(answers.stated)}"
    elif probe is not None and answers.downloaded:
        cause = probe.because
    elif kind is None:
        cause = "neither covers every policy layer and the real request context"
    else:
        cause = f"AWS names the {kind}" if kind else _UNSEEN
    return f"{answers.action} on {answers.resource}: {said} ({cause})"


def _is_explicit(answers: Answers) -> bool:
    """An explicit Deny applies, whatever other policies allow."""
    decision = answers.decision
    return decision is not None and decision.outcome is Outcome.EXPLICIT_DENY


def _one_failure(answers: Answers) -> Failure | None:
    """The one failed read behind every answer, which is then the cause of all that wait for it."""
    failures = {each.failure for each in answers.witnesses}
    return failures.pop() if len(failures) == 1 and not answers.determined else None


def _names_nothing(probe: Permission | None) -> bool:
    """AWS answered the call that there is no such repository."""
    failure = probe.failure if probe is not None else None
    return failure is not None and failure.trouble is Trouble.NOT_FOUND


def _undetermined(answers: Answers) -> str:
    if answers.disagree:
        said = "; ".join(f"{each.witness}: {each.answer}" for each in answers.determined)
        return f"The answers disagree on {answers.action} ({said}); see PERM-8."
    asked = f"{answers.action} on {answers.resource}"
    because = answers.because
    return because if because.startswith(f"{asked} ") else f"{asked}: {because}"


def _what_would_decide(answers: Answers) -> str | None:
    """What would tell an unknown condition key; None where the answer does not depend on one."""
    decision = answers.decision
    keys = () if decision is None or answers.disagree else decision.depends_on
    if not keys or any(key.lower().startswith(RESOURCE_TAG_KEYS) for key in keys):
        return None
    if {key.lower() for key in keys} & _WHO:
        return "Say which user the feed is: --identity NAME."
    pull = " A live feed's own pull proves it too (deep = true, or --deep)."
    return (
        f"State what the feed's requests have for {few(keys)}: context in the feeds file, or "
        f"--context.{pull if answers.action in PULL else ''}"
    )


def _actions(excess: GroupExcess) -> list[str]:
    names = list(excess.actions)
    more = [f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    reasons = {each.action: each.reason for each in excess.excess if each.reason}
    return [f"{n}: {reasons[n]}" if n in reasons else n for n in names[:_SHOWN]] + more
