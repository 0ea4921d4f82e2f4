import sys

from usage.cli import main

sys.exit(main(sys.argv[1:], sys.stdout))
