"""`python -m ecr_feed` is `ecr-feed-checks`, and imports nothing from the folder it is run in."""

import os
import sys

if __name__ == "__main__":
    if sys.path and sys.path[0] in ("", os.getcwd()):  # `python -m` put it there
        del sys.path[0]

    from ecr_feed.plugin.command import main

    sys.exit(main())
