"""E_m: multimodal tokens and a P-Tuning v2 prefix on a frozen LLM (paper, section 3.3)."""
