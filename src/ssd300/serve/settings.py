"""What a server accepts and how much of it: limits that hold before anything is decoded."""

import math
import re
from dataclasses import dataclass, field

from ssd300.detection.defaults import BATCH

MEGA = 1_000_000
MOST_IMAGES = 16
ROOT_PATH = re.compile(r"(/[\w.~%@:+-]+)*", re.ASCII)
HOST = re.compile(r"\*|(\*\.)?[\w-]+(\.[\w-]+)*\.?", re.ASCII)
BODIES_IN_MEMORY = 8  # of the largest size; further ones are refused while they arrive


@dataclass(frozen=True, kw_only=True)
class ServeSettings:
    """The limits of a server.

    `batch_size` is the most images that go through the network together; `queue` the most that are accepted and not
    answered yet. `max_megabytes` is of the body of one request, `max_megapixels` of one image, `max_images` of one
    request: None is `MOST_IMAGES`, or `queue` if that is smaller. `timeout_s` is how long a body may take to arrive,
    and then how long its answer may take. With a `token` the API requires it. `cors_origins` are other websites whose
    scripts may call the API. `root_path` is the path under which a proxy serves it, such as "/detector", whether or not
    the proxy takes it off. `allow_hosts` are host names of the server beside those that `hosts` knows: "*" is all,
    "*.example.org" all below a domain.

    Raises:
        ValueError: a value is out of its range; the message begins with the field's name.
    """

    batch_size: int = BATCH
    queue: int = 128
    timeout_s: float = 30.0
    max_megabytes: float = 32.0
    max_megapixels: float = 50.0
    max_images: int | None = None
    root_path: str = ""
    token: str | None = field(default=None, repr=False)
    cors_origins: tuple[str, ...] = ()
    allow_hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("batch_size", "queue", "max_images"):
            if (count := getattr(self, name)) is not None and count < 1:
                raise ValueError(f"{name} is {count}; it must be 1 or more")
        for name in ("timeout_s", "max_megabytes", "max_megapixels"):
            if not 0 < (value := getattr(self, name)) < math.inf:
                raise ValueError(f"{name} is {value}; it must be more than 0")
        if self.max_images is not None and self.max_images > self.queue:
            raise ValueError(f"max_images is {self.max_images}; no more than queue ({self.queue}) fit")
        if not ROOT_PATH.fullmatch(self.root_path):
            raise ValueError(f"root_path is '{self.root_path}'; it looks like /detector")
        for name in self.allow_hosts:
            if not HOST.fullmatch(name):
                raise ValueError(f"allow_hosts has '{name}'; it is a name like detector.example.org, without a port")
        if self.token is not None and not (self.token.isascii() and self.token.isprintable() and self.token.strip()):
            raise ValueError("token is empty or has other characters than a header can carry")
        for origin in self.cors_origins:
            if origin != "*" and not origin.startswith(("http://", "https://")):
                raise ValueError(f"cors_origins has '{origin}'; an origin looks like https://example.org")

    @property
    def max_bytes(self) -> int:
        """The most bytes of the body of one request."""
        return max(int(self.max_megabytes * MEGA), 1)

    @property
    def max_pixels(self) -> int:
        """The most pixels of one image."""
        return max(int(self.max_megapixels * MEGA), 1)

    @property
    def images_per_request(self) -> int:
        """The most images of one request."""
        return min(MOST_IMAGES, self.queue) if self.max_images is None else self.max_images

    @property
    def max_bytes_in_memory(self) -> int:
        """The most bytes of all bodies together that are being received or answered."""
        return BODIES_IN_MEMORY * self.max_bytes
