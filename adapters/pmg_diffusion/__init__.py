"""What diffusion generators share, whatever they make: it registers no adapter of its own.

A kind of model adds its folder's description (`folder.DiffusersFolder`), what its network is told and what
becomes of latents (`model.DiffusionModel`), and what text alone can fill (`generator.DiffusionGenerator`).
"""

from pmg_diffusion.generator import DiffusionGenerator
from pmg_diffusion.model import DiffusionModel
from pmg_diffusion.options import Options
from pmg_diffusion.schedulers import SCHEDULERS

__all__ = ["SCHEDULERS", "DiffusionGenerator", "DiffusionModel", "Options"]
