"""What one command detects and saves."""

from collections.abc import Sequence
from dataclasses import dataclass

from ssd300.detection.defaults import BATCH
from ssd300.detection.frame_choice import ALL, FrameChoice
from ssd300.detection.outputs import Output
from ssd300.detection.results import Result
from ssd300.types import Selection


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What is detected and saved. Detections of the classes `suppress` are dropped.

    `frames` are those of each video or camera; with `track` their detections have tracks.
    """

    selection: Selection
    save: Sequence[Output]
    suppress: Sequence[str] = ()
    batch_size: int = BATCH
    frames: FrameChoice = ALL
    track: bool = False

    def without_suppressed(self, result: Result) -> Result:
        return result.select([name not in self.suppress for name in result.names])
