"""From what somebody types to what is tested."""

from __future__ import annotations

import pytest

import pmg_conformance.reference.plugin
from pmg_conformance import check_adapter
from pmg_conformance.reference import ReferenceCaptioner, ReferenceGenerator
from pmg_conformance.reference.scenario import REFERENCE
from pmg_conformance.target import find
from pmg_sdk import Registry
from pmg_sdk.errors import ConfigError, InputError


@pytest.fixture
def plugins() -> Registry:
    """A registry to which the references were added by hand."""
    made = Registry(strict=True)
    made.register(pmg_conformance.reference.plugin, "pmg_reference")
    return made


def test_a_registered_name_brings_its_claims(plugins: Registry) -> None:
    subject = find("reference", kind="generator", plugins=plugins)
    assert isinstance(subject.adapter, ReferenceGenerator)
    assert subject.declared == {"exact", "preview", "training"}
    assert subject.claims == {"exact", "preview", "training", "sequence", "negative"}


def test_text_alone_is_no_conditioning_to_train(plugins: Registry) -> None:
    subject = find("reference", kind="generator", options={"conditioning": "text"}, plugins=plugins)
    assert "training" not in subject.claims
    assert [work.name for work in subject.works] == ["generate"]


def test_another_process_finds_what_was_registered_by_hand(plugins: Registry) -> None:
    report = check_adapter(
        "reference", kind="captioner", plugins=plugins, only=["PMG-ANY-023", "PMG-ANY-002"]
    )
    assert report.counts["pass"] == 2


def test_a_class_says_its_role_itself() -> None:
    assert find("pmg_conformance.reference:ReferenceScorer").kind == "scorer"
    assert find(ReferenceCaptioner).kind == "captioner"
    assert find(ReferenceCaptioner()).kind == "captioner"


def test_a_function_needs_its_role_said() -> None:
    assert find(lambda: ReferenceCaptioner(), kind="captioner").adapter.modality == "image"
    with pytest.raises(InputError, match="--role"):
        find(lambda: ReferenceCaptioner())


def test_a_scenario_is_found_as_itself_by_name_and_by_module(plugins: Registry) -> None:
    for target in (REFERENCE, "pmg_conformance.reference.scenario:REFERENCE"):
        assert find(target).kind == "scenario"
    assert find("reference", kind="scenario", plugins=plugins).adapter is REFERENCE


def test_a_name_of_several_roles_must_be_told_apart(plugins: Registry) -> None:
    with pytest.raises(InputError, match=r"registered as llm and captioner and .* --role"):
        find("reference", plugins=plugins)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("nobody", "nothing called 'nobody' is registered"),
        ("no_such_module:Class", "cannot be imported"),
        ("pmg_conformance.reference:Nobody", "cannot be imported"),
        (7, "got int"),
    ],
)
def test_what_cannot_be_found_is_said_so(target: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        find(target)


def test_options_are_for_what_is_not_made_yet() -> None:
    with pytest.raises(ConfigError, match="made already"):
        find(ReferenceCaptioner(), options={"any": 1})
