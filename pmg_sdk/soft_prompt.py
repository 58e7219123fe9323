"""(p, x, y): the prompt of the soft preference encoder (paper, section 3.3.1)."""

from __future__ import annotations

from pmg_sdk.describe import BehaviorSummary
from pmg_sdk.prompts import quote
from pmg_sdk.scenario import Scenario

__all__ = ["soft_prompt"]


def soft_prompt(summary: BehaviorSummary, scenario: Scenario) -> str:
    """Principle and behaviour as text; attributes and examples are left to the trained prefix."""
    lines = [scenario.principle]
    if summary.history:
        lines += [scenario.history_title, *(f"- {quote(text)}" for text in summary.history)]
    if summary.conversation:
        lines += [scenario.conversation_title, *(f"- {quote(text)}" for text in summary.conversation)]
    return "\n".join(lines)
