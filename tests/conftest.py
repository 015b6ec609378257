"""Settings of the tests."""

import os

from hypothesis import HealthCheck, settings

# no deadline: the first example of a property may load compiled code; the same examples each time on CI
settings.register_profile(
    "splitleak", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("splitleak")

# a package of its own: importing it for its doctests would register what only its installation may
collect_ignore = ["plugin_package"]
