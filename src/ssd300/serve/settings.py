"""What a server takes and how much of it: limits that hold before anything is decoded."""

from dataclasses import dataclass, field

MEGA = 1_000_000
MOST_IMAGES = 16
BODIES_IN_MEMORY = 8  # of the largest size; what is being sent beyond that is refused


@dataclass(frozen=True, kw_only=True)
class ServeSettings:
    """`queue` counts images that are taken in and not answered yet; `max_bytes` is of one request's body,
    `max_pixels` of one image, `max_images` of one request. `timeout_s` is how long a body may take to arrive, and
    then how long its answer may take. With a `token` the API asks for it; `cors_origins` are the pages of other
    servers whose scripts may call it. `root_path` is where a proxy puts the server, such as "/detector"; the proxy
    takes it off what it hands on.

    Raises:
        ValueError: a value is out of its range.
    """

    batch_size: int = 8
    queue: int = 128
    timeout_s: float = 30.0
    max_bytes: int = 32 * MEGA
    max_pixels: int = 50 * MEGA
    max_images: int = MOST_IMAGES
    root_path: str = ""
    token: str | None = field(default=None, repr=False)
    cors_origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("batch_size", "queue", "max_bytes", "max_pixels", "max_images"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 1 or more")
        if not 0 < self.timeout_s < float("inf"):
            raise ValueError(f"timeout_s is {self.timeout_s}; it must be more than 0")
        if self.max_images > self.queue:
            raise ValueError(f"max_images is {self.max_images}; no more than queue ({self.queue}) fit")
        if self.root_path and (not self.root_path.startswith("/") or self.root_path.endswith("/")):
            raise ValueError(f"root_path is '{self.root_path}'; it starts with a slash and ends without one")
        if self.token is not None and not (self.token.isascii() and self.token.isprintable() and self.token.strip()):
            raise ValueError("token is empty or has other characters than a header can carry")
        for origin in self.cors_origins:
            if origin != "*" and not origin.startswith(("http://", "https://")):
                raise ValueError(f"cors_origins has '{origin}'; an origin looks like https://example.org")

    @property
    def max_bytes_in_memory(self) -> int:
        """Of all bodies that are being sent or answered at a time."""
        return BODIES_IN_MEMORY * self.max_bytes
