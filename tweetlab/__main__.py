"""``python -m tweetlab`` is the command ``tweetlab``."""

import sys

from tweetlab.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
