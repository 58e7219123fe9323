"""Adapters on transformers: language model, text encoders, CLIP and CLAP scorers, captioners."""
