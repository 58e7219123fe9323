"""Settings: read strictly, written plainly, named by a digest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmg_sdk import Choice, Limits, PMGConfig, WeightPair
from pmg_sdk.errors import ConfigError

numbers = st.floats(0, 4, allow_nan=False).map(lambda value: round(value, 3))
pairs = st.builds(lambda p, t: f"{p}:{t}", numbers, numbers).filter(lambda text: text != "0.0:0.0")
triples = st.builds(lambda pair, s: f"{pair}:{s}", pairs, numbers)
# Refused as names; hypothesis takes words from our sources, and would find them.
secrets = ("key", "secret", "password", "token")
options = st.dictionaries(
    st.text(min_size=1).filter(
        lambda name: name.isidentifier() and not any(word in name.lower() for word in secrets)
    ),
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text() | st.lists(st.text(), max_size=3),
    max_size=3,
)
choices = st.builds(Choice, adapter=st.text(min_size=1), options=options)
configs = st.builds(
    PMGConfig,
    scenario=st.text(min_size=1),
    llm=st.none() | choices,
    captioners=st.dictionaries(st.text(), choices, max_size=2),
    generator=st.none() | choices,
    weights=st.lists(
        pairs | triples, min_size=1, max_size=5, unique_by=lambda text: str(WeightPair.parse(text))
    ),
    alpha=st.floats(0, 1),
    seed=st.integers(0, 2**63 - 1),
    steps=st.none() | st.integers(1, 1000),
    weighting=st.sampled_from(["scale", "from_empty"]),
    limits=st.builds(Limits, items=st.integers(1, 10**6)),
)


@given(configs)
def test_a_config_survives_json_with_its_digest(config: PMGConfig) -> None:
    again = PMGConfig(**json.loads(json.dumps(config.to_json())))
    assert again == config
    assert again.digest() == config.digest()


def test_a_config_is_read_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "pmg.toml"
    path.write_text(
        """
        scenario = "emoticons"
        llm = "openai"
        weights = ["0.5:1", "1:1", "1:1:0.5"]

        [generator]
        adapter = "stable-diffusion"
        options = { model = "pmg:emoji-diffusion" }

        [limits]
        items = 8
        """
    )
    config = PMGConfig.load(path)
    assert config.llm == Choice(adapter="openai")
    assert config.generator == Choice(adapter="stable-diffusion", options={"model": "pmg:emoji-diffusion"})
    assert config.pairs == (WeightPair(0.5, 1), WeightPair(1, 1), WeightPair(1, 1, 0.5))
    assert config.limits.items == 8


def test_equal_settings_have_equal_digests_however_they_are_written() -> None:
    spelt_out = PMGConfig(scenario="s", weights=["1.0:0.50"], alpha=0.5, llm={"adapter": "a", "options": {}})
    assert spelt_out.digest() == PMGConfig(scenario="s", weights=[WeightPair(1, 0.5)], llm="a").digest()
    assert spelt_out.digest() != spelt_out.replaced(alpha=0.4).digest()


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({}, "'scenario': Field required"),
        ({"wieghts": []}, "'wieghts' is unknown; did you mean 'weights'"),
        ({"alpha": 2}, "'alpha'.*less than or equal to 1; got 2"),
        ({"alpha": float("nan")}, "'alpha'.*finite"),
        ({"steps": 0}, "'steps'"),
        ({"seed": -1}, "'seed'"),
        ({"weights": []}, "'weights'"),
        ({"weights": "1:1"}, "'weights': a list of pairs"),
        ({"weights": ["one:two"]}, "'weights'.*looks like 1:0.5"),
        ({"weights": ["0:0"]}, "'weights'.*not all 0"),
        ({"weights": ["-1:1"]}, "'weights'"),
        ({"weights": ["1:1", "1.0:1.0"]}, "'weights': every pair may stand only once"),
        ({"weights": ["1:1", "1:1:1"]}, "'weights': every pair may stand only once"),
        ({"weights": ["0:0:1"], "use_soft": False}, "'0:0:1' leave nothing to condition with use_soft off"),
        ({"weights": ["1:0:0"], "use_keywords": False}, "'1:0:0' leave nothing .* use_keywords off"),
        ({"weighting": "sclae"}, "'weighting'.*sclae"),
        ({"generator": {"adaptor": "x"}}, "'generator.adaptor' is unknown; did you mean 'adapter'"),
        ({"captioners": {"image": {"adapter": ""}}}, "'captioners.image.adapter'"),
        ({"limits": {"items": 0}}, "'limits.items'"),
        ({"use_keywords": False, "use_soft": False}, "cannot both be off"),
        ({"llm": {"adapter": "openai", "options": {"api_key": "x"}}}, "'llm.options'.*secret.*environment"),
    ],
)
def test_a_wrong_field_is_named(values: dict[str, object], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        PMGConfig(**({"scenario": "s"} | values if values else {}))


def test_a_secret_is_not_repeated_in_the_error() -> None:
    with pytest.raises(ConfigError) as caught:
        PMGConfig(scenario="s", llm={"adapter": "openai", "options": {"api_key": "sk-1234"}})
    assert "sk-1234" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "complaint"), [("a = ", "TOML"), ("\xff", "UTF-8"), (None, "No such file")]
)
def test_an_unreadable_file_is_named(tmp_path: Path, content: str | None, complaint: str) -> None:
    path = tmp_path / "pmg.toml"
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigError, match=complaint):
        PMGConfig.load(path)


def test_a_config_is_a_value() -> None:
    config = PMGConfig(scenario="s")
    with pytest.raises(ValueError, match="frozen"):
        config.alpha = 0.1
    with pytest.raises(ConfigError, match="alpha"):
        config.replaced(alpha=7)
