"""Much more is tried here than in a unit test, and the labs and operators of the integration tests are used."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.integration.conftest"]

settings.register_profile(
    "hostile",
    max_examples=int(os.environ.get("GOLDSMITH_EXAMPLES", "1000")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("hostile")
