"""Stable Diffusion 1.x, 2.x, XL and the embedded emoji model as a generator of images."""

from pmg_stable_diffusion.generator import StableDiffusionGenerator

__all__ = ["StableDiffusionGenerator"]
