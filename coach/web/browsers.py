"""What people call the browser that asks: Firefox on Android. Never the whole of what it says of itself."""

from __future__ import annotations

# Looked for in this order, for most browsers also claim to be older ones.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("FxiOS", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "Chromebook"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


def device_words(user_agent: str) -> str:
    """Return the browser and what it runs on, as far as it says."""
    said = user_agent[:500]
    browser = next((word for sign, word in _BROWSERS if sign in said), "Another browser")
    system = next((word for sign, word in _SYSTEMS if sign in said), None)
    return f"{browser} on {system}" if system else browser
