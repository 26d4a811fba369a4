"""What runs a set of weights: torch, or the engine of an exported file. `backend_for` decides which of the two."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from ssd300.detection.network import Network
from ssd300.errors import UsageError

if TYPE_CHECKING:
    from ssd300.runtime import ExportedNetwork

EXPORTED_SUFFIXES = (".onnx", ".xml")
FLOAT32, BFLOAT16 = "float32", "bfloat16"
TorchPrecision = Literal["float32", "bfloat16"]


@runtime_checkable
class Backend(Protocol):
    """One set of weights, not loaded yet, and how it is run.

    `threads_at_load` is true where the number of threads is fixed when the network is loaded.
    """

    threads_at_load: bool
    stores_thresholds: bool  # whether `ssd300 thresholds` can write into it

    def choose_device(self, device: str) -> str:
        """The device to use, for 'auto', 'cpu', 'cuda' or 'mps'. Raises UsageError for one that it cannot run on."""

    def precisions(self, device: str) -> list[str]:
        """The precisions that are worth timing on `device`, the usual one first."""

    def notes(self, device: str, precision: str | None) -> list[str]:
        """Remarks to print on this choice; none is usual."""

    def facts(self) -> dict[str, Any]:
        """What `ssd300 info` prints of the weights. Raises WeightsError."""

    def load(self, *, device: str = "cpu", precision: str | None = None, threads: int | None = None) -> Network:
        """The network, ready to run; `precision` None is the usual one, `threads` None the usual number.

        Raises:
            WeightsError: there are no such weights, or they are damaged.
            UsageError: they cannot run in this precision, or the library that runs them is missing.
        """

    def running_on(self, threads: int) -> AbstractContextManager[None]:
        """Use this many threads while the block runs; without effect where `load` has fixed the number."""

    def compile(self, network: Network, batch_size: int) -> float:
        """Compile a loaded network for batches of `batch_size`. Returns the seconds that it took.

        Raises UsageError where the weights cannot be compiled.
        """


def backend_for(weights: str | Path) -> Backend:
    """The backend for a run folder, a weights file, a published name, or an exported .onnx or .xml file."""
    if is_exported(weights):
        return ExportedFile(Path(weights))
    return TorchWeights(weights)


def load_network(
    weights: str | Path, *, device: str = "cpu", precision: str | None = None, threads: int | None = None
) -> Network:
    """The network of `weights`; arguments and errors as of `Backend.load`, `device` also 'auto'."""
    backend = backend_for(weights)
    return backend.load(device=backend.choose_device(device), precision=precision, threads=threads)


def is_exported(weights: str | Path) -> bool:
    return Path(weights).suffix.lower() in EXPORTED_SUFFIXES


class TorchWeights:
    """Weights that torch runs. In torch the number of threads is a setting of the whole process."""

    threads_at_load = False
    stores_thresholds = True

    def __init__(self, weights: str | Path) -> None:
        self.weights = weights

    def choose_device(self, device: str) -> str:
        from ssd300.system.device import choose_device

        return str(choose_device(device))

    def precisions(self, device: str) -> list[str]:
        from ssd300.system.environment import cpu_has_bf16

        return [FLOAT32, BFLOAT16] if device != "cpu" or cpu_has_bf16() else [FLOAT32]

    def notes(self, device: str, precision: str | None) -> list[str]:
        if precision == BFLOAT16 and precision not in self.precisions(device):
            return ["this processor has no bfloat16 instructions: float32 is faster here"]
        return []

    def facts(self) -> dict[str, Any]:
        from ssd300.weights import resolve_weights
        from ssd300.weights.format import read_card_file

        path = resolve_weights(self.weights)
        card = read_card_file(path)
        return {
            "file": str(path),
            "model": card.model,
            **({} if card.backbone is None else {"backbone": card.backbone}),
            "classes": list(card.classes),
            "input_size": [card.settings.image_size_px] * 2,
            "normalization": {"mean": card.normalization.mean, "std": card.normalization.std},
            "resize": card.resize,
            "clip_boxes": card.clip_boxes,
            "metric": card.metric,
            "min_scores": dict(card.min_scores) or None,
            "data": card.source.get("data"),
            "licence": card.source.get("licence"),
            "source": card.source,
            "default_boxes": vars(card.settings),
            "heads": card.heads,
        }

    def load(self, *, device: str = "cpu", precision: str | None = None, threads: int | None = None) -> Network:
        import torch

        from ssd300.detection.torch_network import TorchNetwork
        from ssd300.weights import load_weights

        if threads is not None:
            torch.set_num_threads(threads)
        model, card = load_weights(self.weights)
        return TorchNetwork(model, card, device=torch.device(device), precision=getattr(torch, precision or FLOAT32))

    @contextmanager
    def running_on(self, threads: int) -> Iterator[None]:
        import torch

        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    def compile(self, network: Network, batch_size: int) -> float:
        from ssd300.detection.torch_network import TorchNetwork

        assert isinstance(network, TorchNetwork)
        return network.compile(batch_size)


class ExportedFile:
    """A file of `ssd300 export`: runs on the CPU, in the precision of its export, without torch."""

    threads_at_load = True
    stores_thresholds = False

    def __init__(self, path: Path) -> None:
        self.path = path

    def choose_device(self, device: str) -> str:
        if device not in ("auto", "cpu"):
            raise UsageError(
                f"an exported file runs on the CPU, not on {device}", where=self.path, fix="Omit --device."
            )
        return "cpu"

    def precisions(self, device: str) -> list[str]:
        return [self._load().card.precision]

    def notes(self, device: str, precision: str | None) -> list[str]:
        return []

    def facts(self) -> dict[str, Any]:
        manifest = self._load().card
        return {
            "file": str(self.path),
            **asdict(manifest),
            **manifest.layers,
            "input_size": [manifest.image_size_px] * 2,
            "normalization": None,  # it is part of the network that was exported
            "data": manifest.source.get("data"),
            "licence": manifest.source.get("licence"),
        }

    def load(self, *, device: str = "cpu", precision: str | None = None, threads: int | None = None) -> Network:
        network = self._load(threads)
        if precision not in (None, network.card.precision):
            raise UsageError(
                f"an exported file runs in the precision of its export, {network.card.precision}",
                where=self.path,
                fix="Omit --precision, or export the weights again.",
            )
        return network

    def running_on(self, threads: int) -> AbstractContextManager[None]:
        return nullcontext()

    def compile(self, network: Network, batch_size: int) -> float:
        raise UsageError("an exported file cannot be compiled again", where=self.path, fix="Omit --compile.")

    def _load(self, threads: int | None = None) -> "ExportedNetwork":
        from ssd300.runtime import load_exported

        return load_exported(self.path, threads=threads)
