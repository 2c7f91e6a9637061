"""The formats: one module each, whose FORMATS are instances of `exchange.format.Format`. A new file here is enough."""

from __future__ import annotations
