"""Adapters on transformers: language model, text encoders, CLIP scorer, BLIP-2 captioner."""
