"""`python -m torrent_mover` is the command `torrent-mover`."""

import sys

from torrent_mover.cli import main

sys.exit(main())
