"""The file that a training starts from, by what `--init` says: a run folder, a file, or a name."""

from pathlib import Path

from ssd300.errors import UsageError, WeightsError, did_you_mean
from ssd300.system.files import spelled_like
from ssd300.weights.named import NAMED, fetch_named, named_detector
from ssd300.weights.other_files import check_may_be_weights
from ssd300.weights.resolve import find_weights, resolve_weights

NOTHING, IMAGENET = "none", "imagenet"


def check_start(init: str) -> None:
    """Raises WeightsError if nothing is called `init`, or if its first bytes say that this file holds no weights."""
    path = Path(init)
    if path.is_dir():
        find_weights(path)
    elif path.is_file():
        check_may_be_weights(path)
    elif init not in (NOTHING, IMAGENET, *NAMED):
        known = [NOTHING, IMAGENET, *NAMED]
        otherwise = f"--init takes a run folder, a weights file, or a name: {', '.join(known)}."
        fix = did_you_mean(init, known, otherwise) if path == Path(path.name) else spelled_like(path, otherwise)
        raise WeightsError("there is no such file to start from", where=init, fix=fix)


def check_is_detector(init: str) -> None:
    """Raises UsageError if `init` is the name of a backbone, or "none", and so has no default boxes."""
    named = not Path(init).exists()
    if named and (init in (NOTHING, IMAGENET) or (init in NAMED and not NAMED[init].is_detector)):
        raise UsageError(
            f"--default-boxes start needs a detector to start from, and --init is {init}",
            fix="Name a run folder or a detector's weights with --init, or leave out --default-boxes start.",
        )


def start_file(init: str) -> Path:
    """The file that `init` stands for; a name may be downloaded. Not for "none", nor for timm's "imagenet".

    Raises WeightsError if there is none, or if it cannot be downloaded.
    """
    check_start(init)
    path = Path(init)
    if path.is_dir():
        return resolve_weights(path)
    if init in NAMED and not path.exists():
        path = named_detector(init) if NAMED[init].is_detector else fetch_named(init)
    if not path.is_file():
        raise WeightsError(
            "--init imagenet is for EfficientNet-Lite and --backbone", where=init, fix="Use --init vgg16 for VGG16."
        )
    return path
