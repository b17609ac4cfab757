"""The command as ``python -m ctdhub``, where the installed one is not on the path."""

from ctdhub.cli.main import main

if __name__ == "__main__":
    main()
