"""Personalised emoji for a chat (paper, sections 4.1.1 and figure 6)."""

from pmg_scenarios.emoticons.catalogue import Catalogue, Icon, catalogue
from pmg_scenarios.emoticons.samples import sample_messages, sample_user, sample_users
from pmg_scenarios.emoticons.scenario import EMOTICONS

__all__ = ["EMOTICONS", "Catalogue", "Icon", "catalogue", "sample_messages", "sample_user", "sample_users"]
