from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def model_folder(place: Path, **config: Any) -> Path:
    """A folder that looks like one with a model in it, as long as nobody loads it."""
    place.mkdir(parents=True)
    (place / "config.json").write_text(json.dumps({"model_type": "llava", **config}))
    (place / "preprocessor_config.json").write_text("{}")
    (place / "model.safetensors").touch()
    return place
