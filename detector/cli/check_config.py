"""`check-config CONFIG`."""

import argparse
import sys

EXAMPLES = """\
examples:
  drift-detector check-config detector.yaml
  drift-detector check-config detector.yaml --show      every setting in force, with its default
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    parser.add_argument("config", metavar="CONFIG")
    parser.add_argument("--show", action="store_true", help="print the configuration in force")


def run(options: argparse.Namespace) -> int:
    """Check everything that `run` would refuse: the file, what it names, the series count, the memory."""
    from detector.assembly import assemble, check_bounds
    from detector.config import InvalidConfigError, load_config, show
    from detector.config.named_files import problems_of
    from detector.memory import memory_text
    from detector.report.baseline import baseline_line

    try:
        config = load_config(options.config, allow_replay=True)
    except InvalidConfigError as error:
        sys.stderr.write("".join(f"{line}\n" for line in error.problems))
        return error.exit_code
    unreadable = problems_of(config.files)
    if unreadable:
        sys.stderr.write("".join(f"{line}\n" for line in unreadable))
        return 2
    if options.show:
        sys.stdout.write(show(config))
    assembly = assemble(config)
    bounds = check_bounds(config, assembly.models)
    if config.is_replay:
        sys.stderr.write("warning: source is `replay`: for the `replay` command, `run` refuses it\n")
    for warning in (*config.warnings, *assembly.warnings, *bounds.warnings):
        sys.stderr.write(f"warning: {warning}\n")
    for key, baseline in assembly.baselines.items():
        sys.stderr.write(f"model {key.model} version {key.version}: {baseline_line(baseline)}\n")
        sys.stderr.write(f"  {assembly.pipeline.knowledge[key].text}\n")
    sys.stderr.write(f"{memory_text(bounds.memory)}\n")
    sys.stderr.write(f"{options.config}: ok, {bounds.n_series} metric series\n")
    return 0
