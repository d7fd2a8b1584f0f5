"""What people look at: pages that are drawn from a view alone, whole without a script.

Every page is an address of its own, choices (window, slice, scale) stand behind its `?`; so a page can be
sent to a colleague, and works by keyboard and in any reader. `assets/page.js` keeps an open page up to
date: it asks for the same address again and changes what has changed.
"""

from detector.web.pages.site import NotThereError, Page, draw

__all__ = ["NotThereError", "Page", "draw"]
