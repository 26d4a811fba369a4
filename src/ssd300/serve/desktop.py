"""Opening the page in the browser of a desktop. Needs no extra."""

import os
import sys
import threading
import webbrowser

SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")  # set where Linux has a desktop
IN_TERMINAL = (
    "GenericBrowser",
    "Elinks",
)  # webbrowser's classes for lynx, w3m and the like, which would take the terminal


def open_browser(address: str) -> bool:
    """Open a page in the browser that the desktop or the variable BROWSER names, without waiting for it.

    False if there is no desktop or no browser.
    """
    is_named = "BROWSER" in os.environ
    has_desktop = sys.platform in ("win32", "darwin") or any(map(os.environ.get, SCREENS))
    if not is_named and not has_desktop:
        return False
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    if not is_named and type(browser).__name__ in IN_TERMINAL:
        return False
    threading.Thread(target=browser.open, args=(address,), name="browser", daemon=True).start()
    return True
