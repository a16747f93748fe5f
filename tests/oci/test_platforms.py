import pytest

from ecr_feed.oci.platforms import Platform, accepts, rank


@pytest.mark.parametrize(
    ("machine", "image", "runs"),
    [
        ("linux/amd64", "linux/amd64", True),
        ("linux/x86_64", "linux/amd64", True),
        ("linux/amd64", "linux/arm64", False),
        ("linux/amd64", "windows/amd64", False),
        ("linux/arm64", "linux/arm64/v8", True),
        ("linux/aarch64", "linux/arm64", True),
        ("linux/arm64/v8", "linux/arm64", True),
        ("linux/arm", "linux/arm/v7", True),
        ("linux/arm/v7", "linux/arm/v6", True),
        ("linux/arm/v6", "linux/arm/v7", False),
        ("linux/armhf", "linux/arm/7", True),
        ("linux/armel", "linux/arm/v7", False),
        ("linux/amd64", "linux/amd64/v3", False),
        ("linux/amd64/v3", "linux/amd64", True),
        ("macos/arm64", "darwin/arm64", True),
        ("Linux/AMD64", "linux/amd64", True),
    ],
)
def test_which_image_a_machine_runs(machine: str, image: str, runs: bool) -> None:
    assert accepts(Platform.parse(machine), Platform.parse(image)) is runs


def test_the_own_variant_is_the_better_match() -> None:
    machine = Platform.parse("linux/arm/v7")
    assert rank(machine, Platform.parse("linux/arm")) < rank(
        machine, Platform.parse("linux/arm/v6")
    )


@pytest.mark.parametrize(
    "text", ["", "linux", "linux/", "/amd64", "a/b/c/d", "linux/am d64", "linux/amd64\n"]
)
def test_what_is_no_platform(text: str) -> None:
    with pytest.raises(ValueError, match="is not a platform"):
        Platform.parse(text)


def test_attestations_have_no_known_platform() -> None:
    assert not Platform("unknown", "unknown").is_known
    assert Platform("linux", "amd64").is_known
