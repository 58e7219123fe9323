"""A generator of your own in the same pipeline: faces drawn with Pillow, no weights at all.

It is of kind "text": the pipeline hands it keywords, and says weights by order and repetition. What is
said more often is drawn larger, so the weight pairs give different faces for the scorer to choose from.

    python examples/swap_generator.py
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from PIL import Image as PILImage
from PIL import ImageDraw

from pmg_sdk import (
    Behavior,
    GenerationRequest,
    Generator,
    GeneratorSpec,
    Image,
    Item,
    Media,
    Observer,
    PMGPipeline,
    Result,
)
from pmg_sdk.progress import Silent, check_cancelled

BENDS = {"happy": 1.0, "laughing": 1.4, "in love": 1.2, "sad": -1.0, "crying": -1.4, "angry": -0.8}


class FaceGenerator(Generator):
    """Draws a round face; "cat" gives it ears, a feeling bends its mouth, the seed tints it."""

    @property
    def spec(self) -> GeneratorSpec:
        return GeneratorSpec(modality="image", conditioning="text", negative=False, steps=1, size=(128, 128))

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        observer = observer or Silent()
        observer.start("denoise", len(requests))
        made: list[Media] = []
        for request in requests:
            check_cancelled(observer)
            made.append(self._draw(request))
            observer.advance("denoise")
        return made

    def _draw(self, request: GenerationRequest) -> Image:
        said = Counter(request.text.split(", "))
        fur = (255, 170 + random.Random(request.seed).randrange(50), 60)
        canvas = PILImage.new("RGB", (128, 128), "white")
        pen = ImageDraw.Draw(canvas)
        if ears := 14 * said["cat"]:
            for x in (32, 96):
                pen.polygon([(x - ears, 44), (x, 34 - ears), (x + ears, 44)], fill=fur, outline="black")
        pen.ellipse((16, 24, 112, 120), fill=fur, outline="black", width=2)
        for x in (46, 82):
            pen.ellipse((x - 6, 52, x + 6, 70), fill="black")
        bend = max(-24.0, min(24.0, 12 * sum(BENDS.get(word, 0) * count for word, count in said.items())))
        mouth = (40, 90 - abs(bend), 88, 90 + abs(bend))
        pen.arc(mouth, *((20, 160) if bend >= 0 else (200, 340)), fill="black", width=4)
        return Image.from_pil(canvas)


def main(pipeline: PMGPipeline | None = None, out: Path = Path("out-swapped")) -> Result:
    """Make one emoji with the generator above; every other part stays as it is."""
    pipeline = pipeline or PMGPipeline.from_scenario("emoticons", generator=FaceGenerator())
    user = Behavior(history=(Item(text="cat face, flat design style"), Item(text="grinning cat")))
    result = pipeline.generate(user, "I got the job! Best day ever!")
    print(f"{result.winner.weights} won with z {result.winner.z:.3f}; saved in {result.save(out)}")
    return result


if __name__ == "__main__":
    main()
