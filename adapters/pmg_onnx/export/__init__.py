"""What makes the exported folders; here alone torch, transformers and onnx are needed."""

from pmg_onnx.export.scorer import export_scorer
from pmg_onnx.export.text_encoder import export_text_encoder

__all__ = ["export_scorer", "export_text_encoder"]
