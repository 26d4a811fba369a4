"""A detector as a folder of static files: a page that detects in the browser, without a server."""

from ssd300.site.exporting import export_site

__all__ = ["export_site"]
