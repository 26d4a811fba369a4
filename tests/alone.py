"""A network namespace for processes that listen: they reach each other by the loopback address, and nothing else."""

import subprocess
import sys

# SIOCSIFFLAGS sets IFF_UP for `lo`. Then it stays until its standard input ends.
HOLD = """
import fcntl, socket, struct, sys
with socket.socket() as one:
    fcntl.ioctl(one, 0x8914, struct.pack("16sH14x", b"lo", 1))
print("up", flush=True)
sys.stdin.read()
"""


class Alone:
    """The namespace, until `close`. Raises OSError where none may be made."""

    def __init__(self) -> None:
        command = ["unshare", "--net", sys.executable, "-c", HOLD]
        self._holder = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        if self._holder.stdout.readline() != "up\n":
            _, said = self._holder.communicate()
            raise OSError(f"no network namespace can be made: {said.strip()}")

    def command(self, *words: object) -> list[str]:
        """The command in the namespace; nsenter is replaced by it, so its process id is the command's."""
        return ["nsenter", "--net", "--target", str(self._holder.pid), *map(str, words)]

    def addresses(self) -> set[str]:
        """The addresses, as /proc writes them, at which something listens on TCP."""
        found = set()
        for file in ("tcp", "tcp6"):
            lines = subprocess.run(
                self.command("cat", f"/proc/self/net/{file}"), check=True, capture_output=True, text=True
            ).stdout.splitlines()
            found |= {words[1].split(":")[0] for words in map(str.split, lines[1:]) if words[3] == "0A"}
        return found

    def close(self) -> None:
        self._holder.communicate()
