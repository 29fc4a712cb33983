"""What the vision tower makes of pictures, kept so that it runs once for each."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from backends.errors import InvalidRequestError
from backends.local.conversation import first_line, open_picture
from backends.request import Picture

_POSITIONS = "image_grid_thw"
"""What families with positions in two dimensions need to know of a picture beside its encoding."""
_CROWD = "batch_num_images"
"""A processor that says this treats a picture alone otherwise than one of several."""


class NotSeparableError(Exception):
    """The family's encodings cannot be made one by one and laid side by side; pictures are encoded with each prompt."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """One picture, encoded.

    `features` is (tokens, width) or, in families that keep tiles apart, (tiles, tokens of a tile, width); `deep` are
    those that enter deeper layers, each (tokens, width). `text` stands in the prompt for the picture; `grid` is its
    size in patches (1, 3) where positions depend on it.
    """

    key: str
    text: str
    kind: type
    features: torch.Tensor
    deep: tuple[torch.Tensor, ...] = ()
    grid: torch.Tensor | None = None

    @property
    def count(self) -> int:
        """How many placeholder tokens the picture takes."""
        return self.features.shape[:-1].numel()


class PictureEncoder:
    """Encodes pictures and keeps the encodings used last.

    Args:
        model: an image-text model of transformers.
        processor: its processor.
        size: how many encodings are kept.
    """

    def __init__(self, model: Any, processor: Any, size: int) -> None:
        self._model = model
        self._processor = processor
        self._size = size
        self._kept: OrderedDict[str, Encoding] = OrderedDict()
        self._crowds = _CROWD in getattr(processor.image_processor, "model_input_names", ())
        self.runs = 0
        """How often the vision tower ran."""

    def encode(self, picture: Picture, alone: bool) -> Encoding:
        """The encoding of a picture; `alone` says whether it is the only one of its prompt.

        Raises:
            NotSeparableError: the family does not allow it.
            InvalidRequestError: the picture cannot be decoded, or the model does not take one of its shape.
        """
        key = f"{picture.sha256}+" if self._crowds and not alone else picture.sha256
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = self._made(picture, key, alone)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return found

    def clear(self) -> None:
        """Let go of all encodings."""
        self._kept.clear()

    def _made(self, picture: Picture, key: str, alone: bool) -> Encoding:
        pixels = open_picture(picture)
        inputs, texts = self._processed([pixels, pixels] if self._crowds and not alone else [pixels])
        grid = inputs.get(_POSITIONS)
        kind, features, deep = self._run(inputs)
        return Encoding(key, texts[0], kind, features, deep, None if grid is None else grid[:1].to(self._model.device))

    def _processed(self, pixels: Sequence[Any]) -> tuple[dict[str, Any], list[str]]:
        """What the processor hands to the tower, and what it writes into the prompt for each picture."""
        processor = self._processor
        try:
            options = processor._merge_kwargs(
                tokenizer_init_kwargs=processor.tokenizer.init_kwargs, return_tensors="pt"
            )
            inputs, texts = processor._process_images([list(pixels)], **options["images_kwargs"])
        except (AttributeError, KeyError, NotImplementedError, TypeError) as error:
            raise NotSeparableError("its processor does not take pictures by themselves") from error
        except ValueError as error:
            text = f"The model's processor refuses a picture of the request: {first_line(error)}"
            raise InvalidRequestError(text) from error
        if len(texts) != len(pixels):
            raise NotSeparableError("its processor writes no text for a picture by itself")
        return dict(inputs), texts

    def _run(self, inputs: dict[str, Any]) -> tuple[type, torch.Tensor, tuple[torch.Tensor, ...]]:
        base, model = self._model.base_model, self._model
        wanted = inspect.signature(base.get_image_features).parameters
        given = {name: _placed(value, model) for name, value in inputs.items() if name in wanted}
        self.runs += 1
        with torch.inference_mode():
            made = base.get_image_features(**given, return_dict=True)
        pooled = getattr(made, "pooler_output", None)
        if pooled is None:
            raise NotSeparableError("its vision tower gives nothing that can be laid beside others")
        deep = tuple(_first(layer) for layer in getattr(made, "deepstack_features", None) or ())
        return type(made), _first(pooled), deep


def side_by_side(encodings: Sequence[Encoding]) -> Any:
    """The encodings as one output of the tower, in this order; there must be one at least."""
    first = encodings[0]
    if first.features.dim() == 2:
        made = first.kind(pooler_output=[encoding.features for encoding in encodings])
    else:
        made = first.kind(pooler_output=torch.cat([encoding.features for encoding in encodings]))
    if first.deep:
        made.deepstack_features = [[encoding.deep[layer] for encoding in encodings] for layer in range(len(first.deep))]
    return made


def _first(features: Any) -> torch.Tensor:
    """The features of the first picture: a sequence has one entry a picture, a tensor is of one picture alone."""
    if isinstance(features, torch.Tensor):
        return features
    if isinstance(features, (list, tuple)) and features and isinstance(features[0], torch.Tensor):
        return features[0]
    raise NotSeparableError("its vision tower gives features in a form of its own")


def _placed(value: Any, model: Any) -> Any:
    """On the model's device, and numbers with a point in its type."""
    if not isinstance(value, torch.Tensor):
        return value
    return value.to(model.device, model.dtype) if value.is_floating_point() else value.to(model.device)
