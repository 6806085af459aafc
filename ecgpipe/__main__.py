"""The command line: `python -m ecgpipe predict | export | check | params | augmentations | compare
| audit`."""

from ecgpipe.project import stage

if __name__ == "__main__":
    stage.end_quietly_on_signals()

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from ecgpipe.commands import console
from ecgpipe.project import printable
from ecgpipe.project.errors import UserError

# Each command is the module of its name in ecgpipe.commands, and this its line of help.
COMMANDS = {
    "predict": "probabilities and decisions for recordings",
    "export": "the models as one ONNX file",
    "check": "read every recording and say whether it is usable",
    "params": "check a whole params file, all faults together",
    "augmentations": "a page of all augmentations on one recording",
    "audit": "are the labels right? a page of what is odd",
    "compare": "which differences between two runs are real, by a paired bootstrap",
}


def parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of `argv`. Only the command asked for is imported and adds its arguments: all of
    them together take seconds."""
    main_parser = argparse.ArgumentParser(prog="python -m ecgpipe", description=__doc__)
    commands = main_parser.add_subparsers(required=True, metavar="command")
    for name, help_line in COMMANDS.items():
        command = commands.add_parser(
            name, help=help_line, formatter_class=argparse.ArgumentDefaultsHelpFormatter
        )
        if name in argv:
            importlib.import_module(f"ecgpipe.commands.{name}").add(command)
    return main_parser


def main(argv: list[str] | None = None) -> int:
    """Runs one command; its exit status. A user's fault is one line on standard error, status 2."""
    console.any_letters()
    argv = sys.argv[1:] if argv is None else argv
    try:
        arguments = parser(argv).parse_args(argv)
        return arguments.run(arguments)
    except BrokenPipeError:  # whoever read the output, such as head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("ecgpipe: stopped; nothing half-written is left", file=sys.stderr)
        return 130
    except (UserError, OSError) as error:
        print(f"ecgpipe: {printable.shown_lines(str(error))}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    stage.interruptible()
    sys.exit(main())
