"""Write the package that an adapter's author starts from: small, working, and conforming at once."""

from __future__ import annotations

import importlib.util
import keyword
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pmg_sdk.errors import InputError, StorageError
from pmg_sdk.storage import scratch_beside, write_text

if TYPE_CHECKING:
    from pmg_sdk.interfaces import Role

__all__ = ["write_adapter"]

_TEMPLATE = Path(__file__).parent / "template"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 40


@dataclass(frozen=True)
class _Words:
    """What a package of one role says: of its kind, its class's ending, and the step after the first."""

    kind: str
    ending: str
    next: str


_WORDS: dict[Role, _Words] = {
    "llm": _Words(
        "A language model",
        "LanguageModel",
        """Count with your model's own tokenizer: override `count_tokens` and `context_tokens`. If it can
   rate given answers, add `choose` and claim "choice".""",
    ),
    "captioner": _Words(
        "A captioner",
        "Captioner",
        """Say in one line what is seen. Resize in the adapter: pictures come in every size.""",
    ),
    "text_encoder": _Words(
        "A text encoder",
        "TextEncoder",
        """Name `space` after model and layer: encoders of equal space are swapped for each other. Count
   tokens before cutting, special tokens included.""",
    ),
    "soft_preference": _Words(
        "A soft preference encoder",
        "SoftPreferenceEncoder",
        """State the space of the text encoder that your checkpoint was trained against, and refuse to load
   against another. Where it was trained on one scenario's prompts, override `scenario`.""",
    ),
    "generator": _Words(
        "A generator",
        "Generator",
        """Choose the kind of conditioning. "text" takes keywords, as hosted models do. For "sequence" and
   "pooled" bring a text encoder; pmg-sdk's examples/pmg-adapter-example shows one.""",
    ),
    "scorer": _Words(
        "A scorer",
        "Scorer",
        """Embed text and media into one space. Give conformance texts with media that show them, so that it
   can check that they find each other.""",
    ),
}
_MEDIA = ("captioner", "generator", "scorer")


def write_adapter(name: str, role: Role, folder: Path) -> Path:
    """Write the package `name` into the new folder `folder/name` and return its path, whole or not at all.

    Raises:
        InputError: the name cannot be that of a distribution, a Python package and an adapter at once.
        StorageError: something is there already, or it cannot be written.
    """
    package = _package(name, role)
    made = folder / name
    if made.exists() or made.is_symlink():
        raise StorageError(f"{made} is there already; nothing was changed. Choose another name or --out.")
    scratch = scratch_beside(made)
    try:
        for path, text in _files(name, package, role).items():
            write_text(scratch / path, text)
        os.rename(scratch, made)
    except OSError as error:
        raise StorageError(f"cannot write {made}: {error.strerror}. Choose another --out.") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return made


def _package(name: str, role: Role) -> str:
    """The import package of a valid name."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise InputError(
            f"a name of lower-case letters, digits and single hyphens was expected, a letter first, at most "
            f"{_LONGEST} characters, like sunny-stickers; got {name!r}"
        )
    package = name.replace("-", "_")
    if keyword.iskeyword(package) or package in sys.stdlib_module_names or package == "tests":
        raise InputError(f"{package!r} means something to Python already. Choose another name.")
    if importlib.util.find_spec(package) is not None:
        raise InputError(f"a package {package!r} is installed, and would be hidden. Choose another name.")
    from pmg_sdk.plugins import registry

    if any(spec.name == name for spec in registry().adapters(role)):
        raise InputError(f"a {role} adapter {name!r} is registered already. Choose another name.")
    return package


def _files(name: str, package: str, role: Role) -> dict[str, str]:
    """Path in the package's folder -> text."""
    words = _WORDS[role]
    meant = {
        "my_adapter": package,
        "my-adapter": name,
        "MyAdapter": "".join(part.capitalize() for part in name.split("-")) + words.ending,
    }
    if role != "generator":  # plugin, test and README of the template speak of one
        meant |= {
            'role="generator"': f'role="{role}"',
            "--role generator": f"--role {role}",
            "my_adapter.generator": f"{package}.{role}",
            "my_adapter/generator": f"{package}/{role}",
            "GeneratorConformance": f"{words.ending}Conformance",
            "A generator for pmg-sdk": f"{words.kind} for pmg-sdk",
        }
    if role not in _MEDIA:
        meant['            modality="image",\n'] = ""
    about = meant | {"NEXT STEP": words.next}
    return {
        "pyproject.toml": _written("pyproject.toml", meant),
        "README.md": _written("README.md", about),
        f"{package}/__init__.py": f'"""{words.kind} for pmg-sdk."""\n',
        f"{package}/py.typed": "",
        f"{package}/plugin.py": _written("plugin.py", meant),
        f"{package}/{role}.py": _written(f"{role}.py", meant),
        "tests/test_conformance.py": _written("conformance_tests.py", meant),
    }


def _written(file: str, meant: dict[str, str]) -> str:
    """A file of the template in other words, all replaced in one pass, the longer first."""
    text = (_TEMPLATE / file).read_text(encoding="utf-8")
    longest_first = sorted(meant, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), lambda found: meant[found.group()], text)
