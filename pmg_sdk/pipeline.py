"""The paper's figure 2 in code.

behavior -> describe -> keywords ---> conditioning -> generate -> score -> selection
(H, C)      (x, y)      (k^p, k^t)    (E^p, E^t)      (M_i)      (d_p,d_t)  (argmax z)
                \\--> soft preference (E_m) --/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmg_sdk import candidates as making
from pmg_sdk import plan as planning
from pmg_sdk.behavior import Behavior, Item
from pmg_sdk.config import PMGConfig
from pmg_sdk.describe import BehaviorSummary, describe, describe_items
from pmg_sdk.keywords import Keywords, avoided_keywords, preference_keywords, target_keywords
from pmg_sdk.plan import Plan
from pmg_sdk.plugins import Registry, registry
from pmg_sdk.preference import UserPreference
from pmg_sdk.progress import Observer, Silent, check_cancelled
from pmg_sdk.provenance import Provenance
from pmg_sdk.result import Result
from pmg_sdk.roles import Roles, load, settings_and_objects
from pmg_sdk.selection import Candidate, Selection, select
from pmg_sdk.soft_prompt import soft_prompt
from pmg_sdk.target import Target, items_of

if TYPE_CHECKING:
    from pmg_sdk.conditioning import Conditioning
    from pmg_sdk.interfaces import (
        Captioner,
        Generator,
        LanguageModel,
        Scorer,
        SoftPreferenceEncoder,
        TextEncoder,
    )
    from pmg_sdk.scenario import Scenario

__all__ = ["PMGPipeline"]


class PMGPipeline:
    """From what a user did and what is asked for to a medium that fits both.

    Adapters come by name from the config, or as objects; the objects win. Nothing is loaded
    before it is needed. A pipeline keeps no state between calls, so threads may share one as
    far as its adapters allow.
    """

    def __init__(
        self,
        config: PMGConfig,
        *,
        llm: LanguageModel | None = None,
        captioners: Mapping[str, Captioner] | None = None,
        text_encoder: TextEncoder | None = None,
        soft_preference: SoftPreferenceEncoder | None = None,
        generator: Generator | None = None,
        scorer: Scorer | None = None,
        scenario: Scenario | None = None,
        plugins: Registry | None = None,
    ) -> None:
        plugins = plugins or registry()
        given = {
            "llm": llm,
            "captioners": captioners,
            "text_encoder": text_encoder,
            "soft_preference": soft_preference,
            "generator": generator,
            "scorer": scorer,
        }
        self.config = config
        self.scenario = scenario or plugins.scenario(config.scenario)
        self.roles = Roles.fill(config, given, plugins)

    @classmethod
    def from_scenario(cls, name: str, *, plugins: Registry | None = None, **overrides: Any) -> PMGPipeline:
        """The scenario's default profile, with fields of `PMGConfig` replaced by keyword.

        Adapter objects (`llm=...`, `generator=...`) are taken as they are; names and mappings
        go into the config.

        Raises:
            ScenarioNotFound, ConfigError, AdapterError: see `__init__`.
        """
        plugins = plugins or registry()
        scenario = plugins.scenario(name)
        settings, objects = settings_and_objects(overrides)
        config = PMGConfig(**{**scenario.profile, "scenario": name, **settings})
        return cls(config, scenario=scenario, plugins=plugins, **objects)

    @classmethod
    def from_config(cls, path: str | Path, *, plugins: Registry | None = None) -> PMGPipeline:
        """A TOML file of `PMGConfig`'s fields; those it leaves out are taken from the scenario's profile.

        Raises:
            ConfigError: the file cannot be read or a field is wrong.
        """
        stated = PMGConfig.load(path)
        fields = {name: getattr(stated, name) for name in stated.model_fields_set}
        return cls.from_scenario(fields.pop("scenario"), plugins=plugins, **fields)

    def generate(
        self,
        behavior: Behavior | UserPreference,
        target: str | Item | Sequence[str | Item] | Target,
        *,
        seed: int | None = None,
        observer: Observer | None = None,
    ) -> Result:
        """The candidate that balances best what this user likes with what is asked for.

        Args:
            behavior: H and C, or what was made of them before.
            target: text, an item, several of them, or what was made of them before.
            seed: of the noises; None takes the config's.
            observer: hears of the stages load, describe, keywords, encode, denoise and score.

        Raises:
            PMGError: see its subclasses; nothing is written in any case.
        """
        observer = observer or Silent()
        seed = self.config.seed if seed is None else seed
        preference = behavior if isinstance(behavior, UserPreference) else self.preference(behavior, observer)
        aim = target if isinstance(target, Target) else self.target(target, observer)
        plan = self.plan(preference, aim, seed=seed, observer=observer)
        selection = self.select(self.make(plan, observer))
        return Result(
            selection=selection,
            preference=preference,
            target=aim,
            plan=plan,
            seed=seed,
            config=self.config,
            made_by=self.made_by,
        )

    def preference(self, behavior: Behavior, observer: Observer | None = None) -> UserPreference:
        """k^p and E_m of a user (sections 3.2 and 3.3); reusable for any number of targets.

        A behaviour without items and messages gives an empty preference and needs no model.

        Raises:
            ConfigError, SpaceMismatch: the soft preference encoder is not one for this scenario and
                generator; the language model was not asked yet.
        """
        observer = observer or Silent()
        if not behavior.history and not behavior.conversation:
            return UserPreference(Keywords(), made_by=self.made_by)
        llm, seed = self.roles.writer(), self.config.seed
        soft_encoder = self.roles.soft_encoder(self.config.scenario)
        load(observer, llm, *self.roles.captioners_for(behavior.history))
        summary = describe(
            behavior,
            scenario=self.scenario,
            llm=llm,
            captioners=self.roles.captioners,
            limits=self.config.limits,
            seed=seed,
            observer=observer,
        )
        _begin(observer, "keywords", 2)
        liked, liked_warnings = preference_keywords(summary, scenario=self.scenario, llm=llm, seed=seed)
        observer.advance("keywords")
        avoided, avoided_warnings = avoided_keywords(summary, scenario=self.scenario, llm=llm, seed=seed)
        observer.advance("keywords")
        return UserPreference(
            keywords=liked,
            avoided=avoided,
            summary=summary,
            soft=self._soft(soft_encoder, summary, observer),
            made_by=self.made_by,
            warnings=(*summary.warnings, *liked_warnings, *avoided_warnings),
        )

    def target(self, target: str | Item | Sequence[str | Item], observer: Observer | None = None) -> Target:
        """k^t of what is asked for (section 3.2.2).

        Raises:
            InputError: there is no text and no media to describe.
        """
        observer = observer or Silent()
        items = items_of(target)
        llm = self.roles.writer()
        load(observer, llm, *self.roles.captioners_for(items))
        notes: list[str] = []
        descriptions = describe_items(
            items,
            scenario=self.scenario,
            llm=llm,
            captioners=self.roles.captioners,
            limits=self.config.limits,
            seed=self.config.seed,
            observer=observer,
            warnings=notes,
        )
        _begin(observer, "keywords", 1)
        keywords, warnings = target_keywords(
            descriptions, scenario=self.scenario, llm=llm, seed=self.config.seed
        )
        observer.advance("keywords")
        return Target(keywords, tuple(descriptions), (*notes, *warnings))

    def plan(
        self,
        preference: UserPreference,
        target: Target,
        *,
        seed: int | None = None,
        observer: Observer | None = None,
    ) -> Plan:
        """The grid of weights and noises, encoded and ready to be made.

        Raises:
            ConfigError, SpaceMismatch: the adapters do not fit each other; no weights were loaded yet.
        """
        observer = observer or Silent()
        self.roles.check(self.config.scenario)
        load(observer, self.roles.generator, self.roles.text_encoder)
        _begin(observer, "encode", 1)
        plan = planning.plan(
            preference,
            target,
            config=self.config,
            spec=self.roles.generator.spec,
            encoder=self.roles.encoder,
            seed=self.config.seed if seed is None else seed,
        )
        observer.advance("encode")
        return plan

    def make(self, plan: Plan, observer: Observer | None = None) -> list[Candidate]:
        """Generate and score what is planned."""
        observer = observer or Silent()
        load(observer, self.roles.generator, self.roles.scorer)
        check_cancelled(observer)
        return making.make(
            plan,
            generator=self.roles.generator,
            scorer=self.roles.scorer,
            alpha=self.config.alpha,
            observer=observer,
        )

    def candidates(
        self,
        preference: UserPreference,
        target: Target,
        *,
        seed: int | None = None,
        observer: Observer | None = None,
    ) -> list[Candidate]:
        """`plan` and `make`: every candidate, scored."""
        return self.make(self.plan(preference, target, seed=seed, observer=observer), observer)

    def select(self, candidates: Sequence[Candidate]) -> Selection:
        """argmax z at the config's alpha (section 3.4)."""
        return select(candidates, self.config.alpha)

    def load(self, observer: Observer | None = None) -> None:
        """Load all weights now, so that the first `generate` is as fast as the next."""
        roles = self.roles
        load(observer or Silent(), roles.llm, *roles.captioners.values(), roles.text_encoder)
        load(observer or Silent(), roles.soft_preference, roles.generator, roles.scorer)

    @property
    def made_by(self) -> Provenance:
        """What is written beside everything this pipeline makes."""
        from pmg_sdk import __version__

        return Provenance(self.config.scenario, self.config.digest(), self.roles.models, __version__)

    def _soft(
        self, encoder: SoftPreferenceEncoder | None, summary: BehaviorSummary, observer: Observer
    ) -> Conditioning | None:
        if encoder is None:
            return None
        load(observer, encoder)
        return encoder.encode([soft_prompt(summary, self.scenario)])[0]


def _begin(observer: Observer, stage: str, total: int) -> None:
    check_cancelled(observer)
    observer.start(stage, total)
