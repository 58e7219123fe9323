"""The fetched language model becomes a plain transformers folder that loads at once and answers."""

from __future__ import annotations

import json
import time

import pytest

from pmg_sdk.assets import fetch


@pytest.mark.slow
def test_the_converted_folder_loads_in_seconds_and_answers() -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = fetch("smollm2-135m-instruct")
    assert "quantization_config" not in json.loads((folder / "config.json").read_text())
    assert not (folder / "model.gguf").exists()

    begin = time.perf_counter()
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    assert time.perf_counter() - begin < 10
    tokenizer = AutoTokenizer.from_pretrained(folder)

    chat = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(
        chat, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    answer = model.generate(**prompt, max_new_tokens=12, do_sample=False)[0, prompt["input_ids"].shape[1] :]
    assert "Paris" in tokenizer.decode(answer)
