"""`python -m worker` is `helix`."""

import sys

from worker.cli import main

sys.exit(main())
