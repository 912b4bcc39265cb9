"""Whether package registries may be asked, and by which names they have a private address."""

import os

# Read when it is imported: tests see no PRP_ variable of whoever runs them.
REGISTRIES = os.environ.get("PRP_TEST_REGISTRIES", "")
"""Empty: they may not. `1`: they may. Names after commas: they may, and are private mirrors."""
