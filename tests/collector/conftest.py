"""Fixtures for the collector's tests."""

from tests.collector.databases import database, device

__all__ = ["database", "device"]
