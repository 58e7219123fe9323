"""What a record says of the adapters that made a result."""

from __future__ import annotations

from pmg_sdk import Choice
from pmg_sdk.provenance import identify
from pmg_transformers.language_model import TransformersLanguageModel


def test_an_adapter_chosen_by_its_bare_name_is_recorded_with_its_default_model() -> None:
    found = identify(Choice(adapter="transformers"), TransformersLanguageModel(), origin="pmg-sdk")
    assert found == {
        "adapter": "transformers",
        "origin": "pmg-sdk",
        "model": "pmg:smollm2-135m-instruct",
    }


def test_the_model_that_was_chosen_is_recorded_as_it_was_written() -> None:
    choice = Choice(adapter="transformers", options={"model": "some/folder"})
    assert identify(choice, TransformersLanguageModel(model="some/folder"))["model"] == "some/folder"


def test_an_adapter_object_is_recorded_by_its_class_and_model() -> None:
    assert identify(None, TransformersLanguageModel(model="some/folder")) == {
        "adapter": "pmg_transformers.language_model:TransformersLanguageModel",
        "model": "some/folder",
    }


def test_an_adapter_without_a_model_is_recorded_without_one() -> None:
    assert identify(Choice(adapter="plain"), object()) == {"adapter": "plain"}
