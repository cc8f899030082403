"""Fixtures for the collector's tests."""

from tests.collector.copies import appliance, collector, copies, module_url, one, web
from tests.collector.databases import database, device

__all__ = ["appliance", "collector", "copies", "database", "device", "module_url", "one", "web"]
