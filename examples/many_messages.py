"""One user, many messages: the preference is read once, saved, and used again.

The language model reads the history a single time; after that every message costs only its own keywords
and its candidates. The file holds a summary of the behaviour: keep it as carefully as the behaviour.

    python examples/many_messages.py
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pmg_scenarios.emoticons import sample_messages, sample_user
from pmg_sdk import PMGPipeline, Result, UserPreference


def main(
    pipeline: PMGPipeline | None = None,
    messages: Sequence[str] = sample_messages(),
    out: Path = Path("out-many"),
) -> list[Result]:
    """An emoji for every message, all from one saved preference."""
    pipeline = pipeline or PMGPipeline.from_scenario("emoticons")
    saved = out / "cat-lover.json"
    if not saved.exists():
        pipeline.preference(sample_user("cat-lover")).save(saved)
    preference = UserPreference.load(saved)
    results = []
    for number, message in enumerate(messages, start=1):
        result = pipeline.generate(preference, message)
        folder = result.save(out / f"{number:02}")
        print(f"{folder}: {result.target.keywords.text} with {preference.keywords.text}")
        results.append(result)
    return results


if __name__ == "__main__":
    main()
