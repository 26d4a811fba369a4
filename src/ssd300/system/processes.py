"""Which of several processes this is, and which launch started them, as `torchrun` says in the environment."""

import os

NO_ID = "none"  # torchrun's id of a launch that was given none and needs none: its processes never move to others


def is_main_process() -> bool:
    """Whether this process writes and prints: the only one, or the first of those that `torchrun` started."""
    return os.environ.get("RANK", "0") == "0"


def process_count() -> int:
    """How many processes there are, on all machines."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def launch_id() -> str | None:
    """The same for all starts of one launch, also after a failure, and for no other launch; None without `torchrun`.

    With `--rdzv-id` it is what the user gave, on all machines.
    """
    name = os.environ.get("TORCHELASTIC_RUN_ID")
    if name != NO_ID:
        return name
    import socket  # not needed by those that import this file early

    return f"{NO_ID}, {socket.gethostname()}, process {os.getppid()}"
