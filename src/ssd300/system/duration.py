"""A duration as people say it."""


def duration(seconds: float) -> str:
    """Seconds as text: '2 h 5 min', '3 min 20 s', '8 s'."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def rough_duration(seconds: float) -> str:
    """An estimate in one unit: '85 s', '14 min', '2.6 h'."""
    if round(seconds) < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"


def in_days(seconds: float) -> str:
    """A long estimate: '9 days', or '2.4 years'."""
    days = seconds / 86_400
    return f"{days:.0f} days" if days < 730 else f"{days / 365:.1f} years"
