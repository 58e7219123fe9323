"""Every Python block of the documentation and every example runs as written."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from pmg_sdk import Image, PMGConfig, Result

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


def example(name: str) -> ModuleType:
    """An example as a module; its `main` is not called."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", ROOT / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name
)
def test_the_python_blocks_of_a_page_are_one_program(page: Path) -> None:
    program: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(page, "python"):
        exec(compile(block, page.name, "exec"), program)


@pytest.mark.usefixtures("named")
def test_the_first_program_of_the_readme_leaves_its_result(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(blocks(ROOT / "README.md", "python")[0], "README.md", "exec"), {})
    assert {path.name for path in Path("out").iterdir()} == {
        "winner.png",
        "sheet.png",
        "report.html",
        "preference.safetensors",
        "result.json",
    }
    assert capsys.readouterr().out.startswith("cat")


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "toml")], ids=lambda page: page.name)
def test_toml_blocks_are_configurations(page: Path, tmp_path: Path) -> None:
    for block in blocks(page, "toml"):
        (tmp_path / "config.toml").write_text(block, encoding="utf-8")
        PMGConfig.load(tmp_path / "config.toml")


@pytest.mark.usefixtures("named")
def test_chat_emoji_tells_why_the_winner_won(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = example("chat_emoji").main(out=tmp_path / "chat")
    assert isinstance(result, Result)
    assert (tmp_path / "chat" / "winner.png").exists()
    said = capsys.readouterr().out
    assert f"the user likes:  {result.preference.keywords.text}" in said
    assert said.count("w_p:w_t") == len(result.candidates)


@pytest.mark.usefixtures("named")
def test_swap_generator_draws_what_is_said_more_often_larger(tmp_path: Path) -> None:
    from pmg_sdk import GenerationRequest

    module = example("swap_generator")
    once, twice = module.FaceGenerator().generate(
        [GenerationRequest(seed=1, text="cat, happy"), GenerationRequest(seed=1, text="cat, cat, happy")]
    )
    above_the_face = slice(0, 24)
    assert (twice.pixels[above_the_face] < 255).sum() > (once.pixels[above_the_face] < 255).sum()
    result = module.main(out=tmp_path / "swapped")
    assert isinstance(result.media, Image)
    assert result.media.size == (128, 128)


@pytest.mark.usefixtures("named")
def test_many_messages_reads_the_user_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pmg_sdk import PMGPipeline

    module = example("many_messages")
    module.main(messages=["I am happy", "I am sad"], out=tmp_path)
    saved = (tmp_path / "cat-lover.json").read_bytes()

    def refuse(*arguments: object) -> None:
        raise AssertionError("the behaviour was read again")

    monkeypatch.setattr(PMGPipeline, "preference", refuse)
    happy, sad = module.main(messages=["I am happy", "I am sad"], out=tmp_path)
    assert (tmp_path / "cat-lover.json").read_bytes() == saved
    assert (happy.target.keywords.text, sad.target.keywords.text) == ("happy", "sad")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chat_emoji", "swap_generator", "many_messages"])
def test_an_example_runs_with_the_embedded_models(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / f"{name}.py")], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.rglob("winner.png"))


@pytest.mark.slow
def test_the_readme_runs_with_the_embedded_models(tmp_path: Path) -> None:
    program = blocks(ROOT / "README.md", "python")[0]
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "winner.png").exists()
