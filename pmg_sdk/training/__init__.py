"""Learning soft preference embeddings: from users' sequences to examples (paper, section 3.3.2).

users -> split -> prepare -> (trainer of a soft preference encoder)

Nothing here knows a framework; what learns lives with its adapter, `pmg_transformers.soft_preference`.
"""

from pmg_sdk.training.examples import ExampleFolder, TrainingExample
from pmg_sdk.training.prepare import Prepared, prepare
from pmg_sdk.training.split import Supervised, split
from pmg_sdk.training.users import User, UserFile

__all__ = [
    "ExampleFolder",
    "Prepared",
    "Supervised",
    "TrainingExample",
    "User",
    "UserFile",
    "prepare",
    "split",
]
