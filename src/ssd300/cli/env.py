"""`ssd300 env`: versions, devices and precisions, to read or to paste into an issue."""

import json
import sys

from ssd300.cli.options import Json


def env(*, json_: Json = False) -> None:
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
