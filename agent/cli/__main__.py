"""`python -m agent.cli` is `prp`."""

from agent.cli import main

if __name__ == "__main__":
    main()
