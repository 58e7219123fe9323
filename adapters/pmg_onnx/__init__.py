"""Text encoders and scorers exported once with torch, and run without it on ONNX Runtime.

`pmg export` makes the folders; `OnnxTextEncoder`, `OnnxScorer` and `OnnxTagCaptioner` read them.
"""

from pmg_onnx.scorer import OnnxScorer
from pmg_onnx.tags import OnnxTagCaptioner
from pmg_onnx.text_encoder import OnnxTextEncoder

__all__ = ["OnnxScorer", "OnnxTagCaptioner", "OnnxTextEncoder"]
