"""What is written by hand for a kind of media: can the pipeline work with it?"""

from __future__ import annotations

from pmg_conformance.check import check
from pmg_conformance.failure import expect
from pmg_conformance.reference import (
    ReferenceCaptioner,
    ReferenceGenerator,
    ReferenceLanguageModel,
    ReferenceScorer,
)
from pmg_conformance.samples import SECRET
from pmg_conformance.subject import Subject
from pmg_sdk.behavior import Behavior, Item
from pmg_sdk.config import PMGConfig
from pmg_sdk.interfaces import Chat
from pmg_sdk.parsing import parse_keywords
from pmg_sdk.pipeline import PMGPipeline
from pmg_sdk.plugins import registry
from pmg_sdk.prompts import preference_prompts
from pmg_sdk.result import Result
from pmg_sdk.scenario import Attribute, Scenario
from pmg_sdk.writing import ANSWER_TOKENS

CONTEXT = 1600
"""Tokens a prompt without behaviour may take: the smallest models in use have 2,048."""


@check("PMG-SCN-001", "scenario", "smoke", advice="Point the factory at a `Scenario`, named as registered.")
def it_is_a_scenario(subject: Subject) -> None:
    """It is a Scenario, under the name it is registered by.

    Results record the name, and are replayed by it.
    """
    scenario = subject.adapter
    expect(isinstance(scenario, Scenario), "a Scenario", type(scenario).__name__)
    if subject.spec is not None:
        expect(scenario.name == subject.spec.name, f"the name {subject.spec.name!r}", scenario.name)


@check(
    "PMG-SCN-002", "scenario", "smoke", advice="Name fields of PMGConfig, and adapters that are registered."
)
def its_profile_is_a_config(subject: Subject) -> None:
    """Its profile makes a config, and every adapter it names is registered.

    `PMGPipeline.from_scenario(name)` must work as it stands.
    """
    profile = subject.adapter.profile
    config = PMGConfig(**{**profile, "scenario": subject.adapter.name})
    named = {role: getattr(config, role) for role in ("llm", "generator", "scorer", "text_encoder")}
    pairs = [(role, choice) for role, choice in named.items() if choice is not None]
    pairs += [("captioner", choice) for choice in config.captioners.values()]
    known: set[tuple[str, str]] = {(spec.role, spec.name) for spec in registry().adapters()}
    known |= {(role, "reference") for role, _ in pairs}
    missing = [f"{role} {choice.adapter!r}" for role, choice in pairs if (role, choice.adapter) not in known]
    expect(not missing, "registered adapters", f"none called {', '.join(missing)}")


@check("PMG-SCN-003", "scenario", "smoke", advice="One question of one line for each attribute.")
def questions_are_one_line(subject: Subject) -> None:
    """Every attribute asks one question, in one line.

    A question over several lines reads as several, and small models answer the last.
    """
    for attribute in _attributes(subject):
        lines = attribute.question.strip().splitlines()
        expect(len(lines) == 1, f"one line for {attribute.name!r}", f"{len(lines)} lines")


@check(
    "PMG-SCN-004",
    "scenario",
    "smoke",
    advice="Write examples as a model should answer: short, comma-separated.",
)
def examples_answer_as_asked(subject: Subject) -> None:
    """Worked examples answer with keywords that parse, as many as the attribute keeps at most.

    Models copy the form of examples. One that writes sentences teaches sentences.
    """
    scenario = subject.adapter
    by_name = {attribute.name: attribute for attribute in scenario.attributes}
    for example in scenario.examples:
        for name, answer in example.answers.items():
            _expect_keywords(answer, by_name[name])
    for example in scenario.target_examples:
        _expect_keywords(example.answer, scenario.target)


@check("PMG-SCN-005", "scenario", "smoke", advice="Fewer or shorter examples.")
def prompts_leave_room(subject: Subject) -> None:
    """Principle, examples and question leave room for a history in a small context.

    What is cut first is the user.
    """
    prompts = _prompts(subject, [], [])
    longest = max(sum(len(turn["content"].encode()) for turn in chat) // 4 for chat in prompts)
    expect(longest <= CONTEXT, f"at most {CONTEXT} tokens", f"about {longest}")


@check("PMG-SCN-006", "scenario", "smoke", advice="State `neutral_target`, out of the target's vocabulary.")
def there_is_a_neutral_target(subject: Subject) -> None:
    """A target that nothing can be read from has keywords too, and they are in the vocabulary.

    "ok" is a message that somebody answers.
    """
    scenario = subject.adapter
    expect(bool(scenario.neutral_target), "keywords of a neutral target", "none")
    known = scenario.target.vocabulary
    strange = [word for word in scenario.neutral_target if known and word not in known]
    expect(not strange, "words of the vocabulary", strange)


@check(
    "PMG-SCN-007",
    "scenario",
    "core",
    advice="Ask attributes about what the user likes, not about the target.",
)
def another_user_gets_another_medium(subject: Subject) -> None:
    """Another user's behaviour changes the result; the same behaviour does not.

    A scenario whose questions ignore the user personalises nothing.
    """
    one, other = _tastes(subject)
    liked, others = _generate(subject, one), _generate(subject, other)
    expect(liked.preference.keywords.text != others.preference.keywords.text, "other keywords", "the same")
    again = _generate(subject, one)
    expect(again.winner.media == liked.winner.media, "the same medium for the same user", "another")
    expect(liked.winner.media != others.winner.media, "another medium for another user", "the same")


@check(
    "PMG-SCN-008", "scenario", "core", advice="Nothing in a scenario may stand for a user that is not there."
)
def nobody_gets_the_plain_medium(subject: Subject) -> None:
    """A user without behaviour gets what is asked for, unpersonalised.

    New users are users.
    """
    result = _pipeline(subject).generate(Behavior(), "happy")
    expect(not result.preference.keywords, "no preference keywords", result.preference.keywords.text)
    expect(result.winner.preference_score is None, "no preference score", result.winner.preference_score)


@check("PMG-SCN-009", "scenario", "core", advice="Let no title, template or example hold what users wrote.")
def behaviour_stays_in_its_place(subject: Subject) -> None:
    """Behaviour text enters a prompt once, between quotation marks, and only the user's own.

    What stands elsewhere is read as an instruction.
    """
    text = f"red cat {SECRET}"
    for history, conversation in (([text], []), ([], [text])):
        for chat in _prompts(subject, history, conversation):
            turns = [turn["content"] for turn in chat]
            named = sum(turn.count(SECRET) for turn in turns)
            # Marks before it that are still open would turn its own opening mark into a closing one.
            quoted = sum(
                before.count('"') % 2 == 0 for turn in turns for before in turn.split(f'"{text}"')[:-1]
            )
            expect(
                named == quoted == 1,
                "the text once, between quotation marks",
                f"{named} times, {quoted} quoted",
            )


def _prompts(subject: Subject, history: list[str], conversation: list[str]) -> list[Chat]:
    prompts, _ = preference_prompts(
        history,
        conversation,
        scenario=subject.adapter,
        llm=ReferenceLanguageModel(),
        max_tokens=ANSWER_TOKENS,
    )
    return prompts


def _attributes(subject: Subject) -> list[Attribute]:
    return [*subject.adapter.attributes, subject.adapter.target]


def _expect_keywords(answer: str, attribute: Attribute) -> None:
    parsed = parse_keywords(answer, question=attribute.question)
    stated = [part for part in answer.split(",") if part.strip()]
    expect(len(parsed) == len(stated), f"keywords for {attribute.name!r}", f"{answer!r}, read as {parsed}")
    expect(len(parsed) <= attribute.keywords, f"at most {attribute.keywords} keywords", answer)


def _pipeline(subject: Subject) -> PMGPipeline:
    scenario = subject.adapter
    return PMGPipeline(
        PMGConfig(scenario=scenario.name),
        scenario=scenario,
        llm=ReferenceLanguageModel(),
        captioners={"image": ReferenceCaptioner()},
        generator=ReferenceGenerator(max_tokens=200),
        scorer=ReferenceScorer(),
    )


def _tastes(subject: Subject) -> tuple[str, str]:
    """What two users have met; beside things of the world, what closed attributes know: of each an entry."""
    closed = [tuple(attribute.vocabulary) for attribute in subject.adapter.attributes if attribute.vocabulary]
    return (
        ", ".join(("a red cat", *(entries[0] for entries in closed))),
        ", ".join(("a blue robot", *(entries[-1] for entries in closed))),
    )


def _generate(subject: Subject, met: str) -> Result:
    return _pipeline(subject).generate(Behavior(history=(Item(text=met), Item(text=met))), "happy")
