"""An account that its owner changes at random, and what a feed's readers make of each state."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from tests.state.account import Real, digest, manifest
from tests.state.comparison import compare, compare_answers
from tests.state.model import (
    ACTIONS,
    EVERYTHING,
    NAMES,
    SCOPES,
    Image,
    Model,
    Repository,
    Statement,
)
from tests.support.properties import costly

MOST_STATEMENTS: Final = 10
CHANGES: Final = 3  # between two looks: a run's readers take far longer than a change
names = st.sampled_from(NAMES)
actions = st.sampled_from([*ACTIONS, "ecr:*"])
effects = st.sampled_from(["Allow", "Deny"])
scopes = st.sampled_from(SCOPES)
contents = st.integers(0, 2)
filled = st.dictionaries(
    names, st.dictionaries(contents, st.booleans(), max_size=2), min_size=1, max_size=2
)  # repositories -> images by content -> whether archived
tags = st.sampled_from(["1.0", "1.1", "latest"])
hours = st.integers(1, 30)


class AccountMachine(RuleBasedStateMachine):
    """Each rule does one thing to the account and to its model.

    Nobody, not even the owner, reaches ECR in a region that is off.
    """

    steps = 0

    @initialize(there=filled, granted=st.sets(st.sampled_from(ACTIONS)))
    def begin(self, there: dict[str, dict[int, bool]], granted: set[str]) -> None:
        """Some repositories with images in them, and some of the four actions on everything."""
        self.real, self.model, self.made = Real(), Model(), 0
        for name, images in sorted(there.items()):
            self.create(name)
            for content, archived in sorted(images.items()):
                self.put(name, content, f"0.{content}")
                self.move(name, content, archive=archived)
        for action in sorted(granted):
            self._put(Statement("Allow", action, EVERYTHING))

    def create(self, name: str) -> None:
        self.real.ecr.create_repository(repositoryName=name)
        self.model.repositories[name] = Repository()

    @precondition(
        lambda self: self.model.region_enabled and len(self.model.repositories) < len(NAMES)
    )
    @rule(data=st.data())
    def create_repository(self, data: st.DataObject) -> None:
        self.create(data.draw(st.sampled_from(sorted(set(NAMES) - set(self.model.repositories)))))

    @precondition(lambda self: self.model.region_enabled and self.model.repositories)
    @rule(data=st.data())
    def delete_repository(self, data: st.DataObject) -> None:
        name = self._one(data)
        self.real.ecr.delete_repository(repositoryName=name, force=True)
        del self.model.repositories[name]

    @precondition(lambda self: self.model.region_enabled and self.model.repositories)
    @rule(data=st.data(), content=contents, tag=tags)
    def push(self, data: st.DataObject, content: int, tag: str) -> None:
        name = self._one(data)
        images = self.model.repositories[name].images
        holder = self.model.repositories[name].holder(tag)
        pushed = images.get(content)
        if (holder and holder.archived) or (pushed and (pushed.archived or pushed is holder)):
            return  # refused, or nothing new
        self.put(name, content, tag)
        if holder:
            holder.tags.remove(tag)

    def put(self, name: str, content: int, tag: str) -> None:
        text = manifest(content)
        self.real.ecr.put_image(repositoryName=name, imageManifest=text, imageTag=tag)
        self.model.repositories[name].images.setdefault(content, Image()).tags.add(tag)

    @precondition(lambda self: self.model.region_enabled and self._images(archived=False))
    @rule(data=st.data())
    def delete_image(self, data: st.DataObject) -> None:
        name, content = data.draw(st.sampled_from(self._images(archived=False)))
        self.real.ecr.batch_delete_image(
            repositoryName=name, imageIds=[{"imageDigest": digest(content)}]
        )
        del self.model.repositories[name].images[content]

    @precondition(lambda self: self.model.region_enabled and self._images())
    @rule(data=st.data(), archive=st.booleans())
    def move_image(self, data: st.DataObject, archive: bool) -> None:
        self.move(*data.draw(st.sampled_from(self._images())), archive=archive)

    def move(self, name: str, content: int, *, archive: bool) -> None:
        self.real.ecr.update_image_storage_class(
            repositoryName=name,
            imageId={"imageDigest": digest(content)},
            targetStorageClass="ARCHIVE" if archive else "STANDARD",
        )
        self.model.repositories[name].images[content].archived = archive

    @precondition(lambda self: len(self.model.statements) < MOST_STATEMENTS)
    @rule(action=actions, scope=scopes, lasts=st.none() | hours)
    def allow(self, action: str, scope: str, lasts: int | None) -> None:
        until = None if lasts is None else self.model.hour + lasts
        self._put(Statement("Allow", action, scope, until))

    @precondition(lambda self: len(self.model.statements) < MOST_STATEMENTS)
    @rule(action=actions, scope=scopes)
    def deny(self, action: str, scope: str) -> None:
        self._put(Statement("Deny", action, scope))

    @precondition(lambda self: self.model.statements)
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        policy = data.draw(st.sampled_from(sorted(self.model.statements)))
        self.real.drop(policy)
        del self.model.statements[policy]

    @precondition(lambda self: self.model.region_enabled and self.model.repositories)
    @rule(data=st.data(), effect=effects, action=st.sampled_from([*ACTIONS[1:], "ecr:*"]))
    def say_on_the_repository(self, data: st.DataObject, effect: str, action: str) -> None:
        name = self._one(data)
        said = Statement(effect, action, name)
        self.real.put_on(name, said)
        self.model.repositories[name].policy = said

    @precondition(lambda self: self.model.region_enabled and self._with_policies())
    @rule(data=st.data())
    def clear_a_repositorys_policy(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self._with_policies()))
        self.real.ecr.delete_repository_policy(repositoryName=name)
        self.model.repositories[name].policy = None

    @rule()
    def turn_the_key(self) -> None:
        self.model.key_active = not self.model.key_active
        self.real.set_key(self.model.key_active)

    @rule()
    def switch_the_region(self) -> None:
        self.model.region_enabled = not self.model.region_enabled
        self.real.set_region(self.model.region_enabled)

    @precondition(lambda self: not self.model.open)
    @rule()
    def open_again(self) -> None:
        self.model.key_active = self.model.region_enabled = True
        self.real.set_key(True)
        self.real.set_region(True)

    @rule(by=hours)
    def let_time_pass(self, by: int) -> None:
        self.model.hour += by
        self.real.core.advance(timedelta(hours=by))

    @invariant()
    def the_readers_say_what_the_model_predicts(self) -> None:
        self.steps += 1
        if self.steps % CHANGES == 0:
            compare(self.model, self.real.rights().account)

    def teardown(self) -> None:
        if self.steps:
            rights = self.real.rights()
            compare(self.model, rights.account)
            if self.model.open:
                compare_answers(self.model, rights)

    def _put(self, statement: Statement) -> None:
        self.made += 1
        policy = f"p{self.made:03}"
        self.real.put(policy, statement)
        self.model.statements[policy] = statement

    def _one(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.model.repositories)))

    def _with_policies(self) -> list[str]:
        return [name for name, each in sorted(self.model.repositories.items()) if each.policy]

    def _images(self, *, archived: bool | None = None) -> list[tuple[str, int]]:
        return [
            (name, content)
            for name, repository in sorted(self.model.repositories.items())
            for content, image in sorted(repository.images.items())
            if archived is None or image.archived is archived
        ]


TestAccountMachine = AccountMachine.TestCase
TestAccountMachine.settings = costly(
    stateful_step_count=14,
    # A look costs some 50 ms: shrinking a failure would take minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
