"""A chat answers with an emoji in the user's own taste.

What the user clicked and wrote comes from your application; here it is written down. The result's folder
holds the winner, a sheet of all candidates, and `result.json`.

    python examples/chat_emoji.py
"""

from __future__ import annotations

from pathlib import Path

from pmg_sdk import Behavior, Item, Message, PMGPipeline, Result

USER = Behavior(
    history=(
        Item(text="cat face, flat design style"),
        Item(text="black cat, flat design style"),
        Item(text="grinning cat, flat design style"),
        Item(text="spider, flat design style", liked=False),
    ),
    conversation=(
        Message(text="My cat sleeps on my keyboard again"),
        Message(role="assistant", text="Cats know where it is warm."),
    ),
)


def main(
    pipeline: PMGPipeline | None = None,
    message: str = "Good night, I can hardly keep my eyes open",
    out: Path = Path("out-chat"),
) -> Result:
    """Answer `message` with an emoji, print why it won, and save it."""
    pipeline = pipeline or PMGPipeline.from_scenario("emoticons")
    result = pipeline.generate(USER, message)
    print(f"the user likes:  {result.preference.keywords.text}")
    print(f"the message:     {result.target.keywords.text}")
    for candidate in sorted(result.candidates, key=lambda candidate: -candidate.z):
        d_p, d_t = candidate.preference_score, candidate.accuracy_score
        print(f"w_p:w_t {candidate.weights}  d_p {d_p or 0:.3f}  d_t {d_t:.3f}  z {candidate.z:.3f}")
    for warning in result.warnings:
        print(f"note: {warning}")
    print(f"saved in {result.save(out)}")
    return result


if __name__ == "__main__":
    main()
