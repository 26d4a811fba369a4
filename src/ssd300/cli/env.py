"""`ssd300 env`: what this machine can do, for a user to read or to paste into a report."""

import json
import sys
from typing import Annotated

from cyclopts import Parameter


def env(*, json_: Annotated[bool, Parameter(name="--json", negative="")] = False) -> None:
    """Print versions, devices and precisions of this machine.

    Parameters
    ----------
    json_
        Print one JSON object and nothing else.
    """
    from ssd300.system.environment import environment

    facts = environment()
    if json_:
        sys.stdout.write(json.dumps(facts, indent=2) + "\n")
        return
    width = max(map(len, facts))
    sys.stdout.writelines(f"{name:{width}}  {value}\n" for name, value in facts.items())
