"""The unit for systemd: what it starts is the program, and a wrong configuration is not tried again."""

import configparser

from detector.cli import main
from detector.errors import ConfigError
from tests.deploy.shipped import DEPLOY

UNIT = DEPLOY / "systemd" / "drift-detector.service"


def service() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(UNIT)
    return parser["Service"]


def test_the_unit_starts_the_program(capsys, tmp_path):
    """The entry point, with arguments that it knows, in a directory that it may write to."""
    path, *arguments = service()["ExecStart"].split()
    missing = tmp_path / "detector.yaml"
    arguments[-1] = str(missing)

    assert path.endswith("/bin/drift-detector")
    assert main(arguments) == ConfigError.exit_code
    assert str(missing) in capsys.readouterr().err
    assert service()["WorkingDirectory"] == f"/var/lib/{service()['StateDirectory']}"


def test_what_trying_again_does_not_mend_is_not_tried_again():
    """The exit code of a wrong configuration."""
    assert service()["Restart"] == "on-failure"
    assert service()["RestartPreventExitStatus"] == str(ConfigError.exit_code)
