"""A duration as people say it."""


def duration(seconds: float) -> str:
    """Seconds as text: '2 h 5 min', '3 min 20 s', '8 s'."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
