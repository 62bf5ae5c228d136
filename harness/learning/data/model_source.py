"""Where a pretrained encoder comes from: the package itself, a folder of models, or the Hugging Face hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.learning.data.sources import EMBEDDED
from harness.profiles import ModelProfile

BASE_FILES = ("config.json", "model.safetensors")
TOKENIZER_PATTERNS = ("tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab.*", "merges.txt", "*.model")
_OTHER_WEIGHTS = ("pytorch_model.bin", "model.safetensors.index.json", "pytorch_model.bin.index.json")


@dataclass(frozen=True)
class Pretrained:
    """``base`` holds config.json and model.safetensors, ``tokenizer`` the tokenizer's files; often the same folder."""

    base: Path
    tokenizer: Path


def find_model(profile: ModelProfile, models: Path | None, workdir: Path) -> Pretrained:
    """The model from the first source that the profile and ``models`` allow; converted below ``workdir`` if need be.

    Raises:
        UsageError: the folder or one of its files is missing, or the hub cannot be reached.
    """
    if profile.embedded is not None:
        return _checked(EMBEDDED / profile.embedded, workdir)
    if profile.folder is not None and (models is not None or Path(profile.folder).is_absolute()):
        if models is not None and not models.is_dir():
            raise UsageError(f"models folder {models} does not exist: give MODELS=folder that holds {profile.folder}/")
        return _checked((models or Path()) / profile.folder, workdir)
    if profile.hub is not None:
        return _checked(_download(profile, profile.hub), workdir)
    raise UsageError(f"model '{profile.name}' is not on the hub: give MODELS=folder (--models) with its folder")


def _checked(folder: Path, workdir: Path) -> Pretrained:
    """The folder, if it holds a model; with weights of another form, converted ones beside its tokenizer."""
    if not folder.is_dir():
        raise UsageError(f"model folder {folder} does not exist: put it there, or give another with MODELS=folder")
    if (folder / "config.json").is_file():
        if (folder / "model.safetensors").is_file():
            return Pretrained(folder, folder)
        if any((folder / name).is_file() for name in _OTHER_WEIGHTS):
            return Pretrained(_converted(folder, workdir / "base"), folder)
    missing = [name for name in BASE_FILES if not (folder / name).is_file()]
    raise UsageError(f"model folder {folder} lacks {' and '.join(missing)}: download the whole model into it")


def _download(profile: ModelProfile, hub: str) -> Path:
    """A snapshot of a hub model; without its other weights where it has safetensors."""
    from huggingface_hub import snapshot_download

    patterns = ["config.json", "model.safetensors*", "model-*.safetensors", *TOKENIZER_PATTERNS]
    try:
        folder = Path(snapshot_download(hub, allow_patterns=patterns))
        if not list(folder.glob("*.safetensors")):
            folder = Path(snapshot_download(hub, allow_patterns=[*patterns, "pytorch_model*"]))
    except Exception as error:
        # The client's errors share no base class: connection, authorisation, a missing repository.
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise UsageError(
            f"model '{hub}' could not be read from the Hugging Face hub ({reason[0]}): "
            f"give MODELS=folder (--models) that holds {profile.folder or profile.name}/"
        ) from error
    return folder


def _converted(folder: Path, target: Path) -> Path:
    """The same encoder as one model.safetensors; written once."""
    from transformers import AutoModel

    if not (target / "model.safetensors").is_file():
        AutoModel.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False).save_pretrained(target)
    return target
