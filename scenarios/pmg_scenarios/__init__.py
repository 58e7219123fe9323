"""Scenarios that come with pmg-sdk: prompts, sample users and catalogues, no code that touches a model."""
