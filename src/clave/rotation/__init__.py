"""Values that grow old: how old each is, what the policy wants, what has to be done, and the steps of a rotation.

Values in, decisions out; only the drivers (`rotation.drivers`) reach outside.
"""

from __future__ import annotations
