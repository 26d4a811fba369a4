"""`ssd300 env`: versions, devices and precisions, to read or to paste into an issue."""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from ssd300.cli.options import Json


def env(*, json_: Json = False) -> None:
    """Say what this machine has: versions, processor, GPUs.

    Parameters
    ----------
    json_
        Print one JSON object and nothing else.
    """
    from ssd300.system.environment import PACKAGES, environment

    facts = environment()
    if json_:
        sys.stdout.write(json.dumps(facts, indent=2) + "\n")
        return
    sys.stdout.writelines(f"{line}\n" for line in _lines(facts, PACKAGES))


def _lines(facts: Mapping[str, Any], packages: tuple[str, ...]) -> Iterator[str]:
    from ssd300.system.device import choose_device
    from ssd300.system.wording import plural

    gpus = ", ".join(facts["gpus"]) or ("Apple's, by MPS" if facts["mps"] else "none that torch can use")
    rows = {
        "system": facts["platform"],
        "processors": f"{facts['processors']}; torch uses {plural(facts['threads'], 'thread')}",
        "bfloat16": f"the processor has {'it' if facts['bf16_on_cpu'] else 'no instructions for it'}",
        "GPU": gpus,
        "--device auto": f"takes {choose_device('auto')}",
        "Python": facts["python"],
        **{name: facts[name] or "not installed" for name in packages},
    }
    width = max(map(len, rows))
    for name, value in rows.items():
        yield f"{name:{width}}  {value}"
