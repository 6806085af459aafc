"""The command line: `python -m ecgpipe predict | export | check | params | augmentations | compare
| audit`."""

from ecgpipe.project import stage

if __name__ == "__main__":
    stage.end_quietly_on_signals()

import argparse
import os
import sys
from types import ModuleType

from ecgpipe.commands import audit, augmentations, check, compare, console, export, params, predict
from ecgpipe.project.errors import UserError

_READ = (
    "exit status: 0 all were read, 1 some were refused (their rows say why), 2 nothing was written"
)
# command: (its module, its line of help, what stands below its help)
COMMANDS: dict[str, tuple[ModuleType, str, str | None]] = {
    "predict": (predict, "probabilities and decisions for recordings", _READ),
    "export": (export, "the models as one ONNX file", None),
    "check": (check, "read every recording and say whether it is usable", None),
    "params": (params, "check a whole params file, all faults together", None),
    "augmentations": (augmentations, "a page of all augmentations on one recording", None),
    "audit": (audit, "are the labels right? a page of what is odd", None),
    "compare": (
        compare,
        "which differences between two runs are real, by a paired bootstrap",
        None,
    ),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ecgpipe", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, (module, help_line, epilog) in COMMANDS.items():
        shown = argparse.ArgumentDefaultsHelpFormatter
        module.add(commands.add_parser(name, help=help_line, formatter_class=shown, epilog=epilog))
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs one command; its exit status. A user's fault is one line on standard error, status 2."""
    console.any_letters()
    arguments = _parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except BrokenPipeError:  # whoever read the output, such as head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("ecgpipe: stopped; nothing half-written is left", file=sys.stderr)
        return 130
    except (UserError, OSError) as error:
        print(f"ecgpipe: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    stage.interruptible()
    sys.exit(main())
