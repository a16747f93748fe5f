"""A feed's registry as Docker sees it: one login, and one walk for each package."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from ecr_feed import token as tokens
from ecr_feed.config import Package
from ecr_feed.facts.aws import Answer, Failure, Image, ReadError, Trouble
from ecr_feed.facts.iam import CacheRule, cache_rule_of
from ecr_feed.oci import (
    EndpointError,
    Login,
    Network,
    PackageWalk,
    Platform,
    RegistryClient,
    RegistrySession,
    Step,
    WantedImage,
)
from ecr_feed.oci.tag_views import TagViews, settled
from ecr_feed.once import Once
from ecr_feed.outcomes import NotAssessed, not_applicable, not_assessed, note
from ecr_feed.permissions.answers import Rights
from ecr_feed.permissions.pull_proof import Walked

TEST_ENDPOINT = (
    "Calls go to an endpoint that is not AWS's, and the feed sets no registry_endpoint for it."
)
_MANIFEST = "ecr:BatchGetImage"
_RESOLUTION = timedelta(seconds=1)  # of the time at which the token was fetched
_OF_PACKAGE = re.compile(r"/v2/(?P<package>.+)/(?:tags|manifests|blobs)/[^/]+")
_SIGNATURE = re.compile(r"sha256-[0-9a-f]{64}(\.[a-z]+)?")
"""A tag that signing tools add beside an image; it is not a version to deploy."""


@dataclass
class _Readings:
    """What was read of one package: one reading, or two where the first one disagrees.

    `walk` is the one to judge: where two readings contradict each other, its HEAD says so.
    """

    views: list[TagViews]
    walk: PackageWalk = field(init=False)

    def __post_init__(self) -> None:
        self.walk = self.views[0].walk


class FeedRegistry:
    """The registry that the feed's token is for.

    `at_aws`: the registry is ECR itself, where reading by tag under a pull-through cache rule may
    fetch from upstream. Such a package is not asked for there; where the rules cannot be read,
    images are asked for by digest, which fetches nothing.
    """

    def __init__(
        self, rights: Rights, network: Callable[[], Network], *, at_aws: bool, deep: bool
    ) -> None:
        self.rights = rights
        self.deep = deep or rights.account.feed.deep
        self._at_aws = at_aws
        self._network = network
        self._rules = Once(self._read_rules)
        self._registry = Once(self._open)
        self._walks = Once(self._walk_all)
        self._readings: dict[str, _Readings] = {}
        self._touched: dict[str, list[str]] = {}
        self._sorted = 0

    @property
    def applies(self) -> bool:
        """There is a registry to ask: ECR itself, or the feed's registry_endpoint."""
        return self._at_aws or self.rights.account.feed.registry_endpoint is not None

    def login(self) -> Login:
        """`docker login` with the feed's token.

        Raises ReadError; ends the check where the token cannot be used or a test endpoint answers.
        """
        if not self.applies:
            not_applicable(TEST_ENDPOINT)
        return self._registry.get().login()

    def pull(self, package: str) -> PackageWalk:
        """The walk to one image; ends the check where a PERM rule reports that it is denied.

        Not applicable where it is denied and the feed has no `pulls`, not assessed where it has.
        Raises ReadError where the image to walk to is chosen from images that could not be read.
        """
        walk = self.walk(package)
        if walk.wanted.tag is None:
            # The newest image is asked for: without the images, no tag is known.
            self.rights.account.images(package)
        denied = self.rights.has_auditor and self._is_denied(package)
        if not self.rights.account.feed.pulls and (denied or _is_refused(walk)):
            not_applicable("Targets do not pull with this feed's credentials (pulls), and may not.")
        if denied:
            not_assessed(f"It depends on {_MANIFEST}, which the feed is denied (PERM-5).")
        return walk

    def _is_denied(self, package: str) -> bool:
        """The manifest may not be read; a denial on stated values gives way to what was read."""
        answers = self.rights.answers(_MANIFEST, package)
        return answers.answer is Answer.DENIED and not answers.assumed

    def views(self, package: str) -> Sequence[TagViews]:
        """The lists of tags of API and registry, read twice where the first two differ.

        Ends the check where PERM-4 reports that the registry's is denied. Raises ReadError.
        """
        walk = self.walk(package)
        self.rights.account.images(package)
        if any(step.trouble is Trouble.DENIED for step in walk.of(Step.TAGS)):
            not_assessed("It depends on ecr:ListImages, which the feed is denied (PERM-4).")
        views = self._readings[package].views
        if len(views) == 1 and views[0].lists_differ:
            again = self._registry.get().look_again(walk.wanted, deep=False)
            views.append(self._viewed(again, self.rights.account.images_again(package)))
            self._note_touched(package)
        return views

    def reading(self, package: str) -> TagViews:
        """The reading that the walk is judged by; after `walk`, or what calls it."""
        return self._readings[package].views[-1]

    def walk(self, package: str) -> PackageWalk:
        """The walk to one image; ends the check without a repository or under a cache rule.

        Where the registry and the API contradict each other about the tag, both are read again.
        """
        if not self.applies:
            not_applicable(TEST_ENDPOINT)
        if self.rights.account.inventory().repository(package) is None:
            not_applicable("Its repository is missing (REPO-1).")
        rule = self._rule_of(package)
        if rule is not None:
            not_applicable(f"A read may fetch from {rule.upstream} (pull-through cache rule).")
        self._registry.get()
        walk = self._reading_of(package).walk
        self._note_touched(package)
        if isinstance(rules := self._rules.get(), Failure):
            note(cache_rules_unread=rules.summary)
        return walk

    def downloaded(self, package: str) -> Walked | None:
        """The deep walk to one image with the feed's own token; None where nothing was walked.

        None too where what answers is not the registry that the token names, or accepts any
        password: a download from there says nothing about permissions.
        """
        if not self.deep or not self.applies:
            return None
        try:
            login = self._registry.get().login()
            if not (login.ok and login.wrong_password.ok and self._is_the_tokens()):
                return None
            first = self._walks.get().get(package)
            return None if first is None else Walked(self._reading_of(package).walk, first.at)
        except (ReadError, NotAssessed):
            return None  # no proof: the rules about token, login and pull say why

    def _is_the_tokens(self) -> bool:
        endpoint = self.rights.account.feed.registry_endpoint
        named = self.rights.account.token().proxy_endpoint
        return endpoint is None or urlsplit(endpoint).netloc == urlsplit(named).netloc

    def _reading_of(self, package: str) -> _Readings:
        if package not in self._readings:
            self._readings[package] = self._read(package)
        return self._readings[package]

    def _read(self, package: str) -> _Readings:
        walk = self._walks.get()[package].walk
        account = self.rights.account
        first = self._viewed(walk, _images(lambda: account.images(package)))
        found = _Readings([first])
        if first.contradict:
            again = self._registry.get().look_again(walk.wanted, deep=walk.deep)
            images = _images(lambda: account.images_again(package))
            found.views.append(self._viewed(again, images))
            found.walk = settled(first, found.views[-1])
        return found

    def _viewed(self, walk: PackageWalk, images: tuple[Image, ...] | None) -> TagViews:
        return TagViews(walk, images, self.rights.account.token().fetched_at + _RESOLUTION)

    def _note_touched(self, package: str) -> None:
        """Keep every request that was made for the package as evidence."""
        sent = self._registry.get().client.sent
        for each in sent[self._sorted :]:
            if part := _OF_PACKAGE.fullmatch(each.path):
                said = f"{each.method} {each.host}{each.path} {each.status or each.trouble}"
                self._touched.setdefault(part["package"], []).append(said)
        self._sorted = len(sent)
        note(touched=self._touched.get(package, []))
        if isinstance(rules := self._rules.get(), Failure):
            note(cache_rules_unread=rules.summary)

    def _open(self) -> RegistrySession:
        account = self.rights.account
        token = account.token()
        decoded = tokens.decode(token)
        if decoded.problem is not None:
            not_assessed("It depends on the token, which cannot be used (TOKEN-1).")
        endpoint = account.feed.registry_endpoint
        if endpoint is None:
            # The token is sent only to the registry that it should be for.
            expected = account.feed.account or account.identity().account
            if not tokens.judge_registry(token, expected, account.feed.region).holds:
                not_assessed("It depends on the token, which is for another registry (TOKEN-3).")
            if tokens.was_expired(token):
                not_assessed("It depends on the token, which has expired (TOKEN-2).")
            endpoint = token.proxy_endpoint
        try:
            client = RegistryClient(
                endpoint,
                decoded.user,
                decoded.password,
                repositories=self._readable(),
                network=self._network(),
            )
        except EndpointError as error:
            not_assessed(f"{endpoint} is not a registry address: {error}.")
        return RegistrySession(client)

    def _readable(self) -> tuple[str, ...]:
        """Packages that exist, as far as the inventory knows, and that no cache rule serves."""
        inventory = self.rights.account.inventory()
        return tuple(
            name
            for name in self.rights.packages()
            if name in inventory.repositories and self._rule_of(name) is None
        )

    def _walk_all(self) -> dict[str, Walked]:
        names = self._readable()
        wanted = [self._wanted(name) for name in names]
        walks = self._registry.get().walk_all(wanted, deep=self.deep)
        at = self.rights.now()
        return {name: Walked(walk, at) for name, walk in zip(names, walks, strict=True)}

    def _wanted(self, package: str) -> WantedImage:
        """The image to walk to; no tag where the repository has none, or its images are unread."""
        asked = self._asked(package)
        platform = Platform.parse(asked.platform) if asked.platform else None
        tag = asked.tag if asked.tag is not None else self._newest_tag(package)
        return WantedImage(package, tag, platform)

    def _asked(self, package: str) -> Package:
        """The package as the feeds file has it."""
        return next(each for each in self.rights.account.feed.packages if each.id == package)

    def _newest_tag(self, package: str) -> str | None:
        """The tag of the newest image, or its digest where a read by tag might fetch it."""
        try:
            newest = _newest(self.rights.account.images(package))
        except ReadError:
            return None  # `pull` raises the same error: nothing is said of an image not chosen
        if newest is None:
            return None
        return newest.digest if self._unsure else _tag_of(newest)

    @property
    def _unsure(self) -> bool:
        """Reading by tag may fetch from upstream: this is ECR, and its cache rules are unknown."""
        return self._at_aws and isinstance(self._rules.get(), Failure)

    def _rule_of(self, package: str) -> CacheRule | None:
        rules = self._rules.get()
        return None if isinstance(rules, Failure) else cache_rule_of(package, rules)

    def _read_rules(self) -> tuple[CacheRule, ...] | Failure:
        """The registry's cache rules, or why they could not be read."""
        try:
            return self.rights.documents().cache_rules()
        except ReadError as error:
            return error.failure


def _images(read: Callable[[], tuple[Image, ...]]) -> tuple[Image, ...] | None:
    """The images; None where the API could not be read, which its own rules report."""
    try:
        return read()
    except ReadError:
        return None


def _is_refused(walk: PackageWalk) -> bool:
    """The registry denied the manifest or a layer itself, not the login."""
    return any(
        step.trouble is Trouble.DENIED
        for step in walk.of(Step.HEAD, Step.MANIFEST, Step.PLATFORM, Step.CONFIG, Step.LAYER)
    )


def _newest(images: Sequence[Image]) -> Image | None:
    """The most recently pushed image that has a version tag."""
    usable = [image for image in images if image.status == "ACTIVE" and _tag_of(image)]
    dated = [image for image in usable if image.pushed_at is not None]
    if dated:
        return max(dated, key=lambda image: image.pushed_at.timestamp() if image.pushed_at else 0)
    return usable[0] if usable else None


def _tag_of(image: Image) -> str | None:
    versions = [tag for tag in image.tags if not _SIGNATURE.fullmatch(tag)]
    return next((tag for tag in versions if tag != "latest"), versions[0] if versions else None)
