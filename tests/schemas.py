"""Official JSON Schemas, taken from the packages that carry them (they are not ours to ship)."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

import jsonschema
import pytest

SARIF_CARRIER = "sarif-pydantic==0.6.2"
"""Its source distribution holds ``sarif-schema-2.1.0.json`` as the OASIS committee published it."""


def problems(value, schema):
    """What the schema says against ``value``, each with its place."""
    found = jsonschema.validators.validator_for(schema)(schema).iter_errors(value)
    return [f"{error.json_path}: {error.message[:300]}" for error in found]


def sarif_schema():
    """The schema of SARIF 2.1.0; downloaded once, then kept in the temporary directory."""
    kept = pathlib.Path(tempfile.gettempdir(), "dbsession-tests-sarif-schema-2.1.0.json")
    if not kept.is_file():
        with tempfile.TemporaryDirectory() as folder:
            _download(SARIF_CARRIER, folder)
            (archive,) = pathlib.Path(folder).glob("*.tar.gz")
            with tarfile.open(archive) as members:
                (name,) = [name for name in members.getnames() if name.endswith("/sarif-schema-2.1.0.json")]
                partial = kept.with_suffix(f".{os.getpid()}")
                partial.write_bytes(members.extractfile(name).read())
                partial.replace(kept)
    schema = json.loads(kept.read_text("utf-8"))
    assert "SARIF) Version 2.1.0 JSON Schema" in schema["title"]
    return schema


def vendored_schema(name):
    """A schema that ``check-jsonschema`` carries, such as ``github-workflows``."""
    found = importlib.util.find_spec("check_jsonschema")
    if found is None:
        pytest.skip("check-jsonschema is not installed")
    folder = pathlib.Path(found.origin).parent / "builtin_schemas" / "vendor"
    return json.loads((folder / f"{name}.json").read_text("utf-8"))


def _download(requirement, folder):
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", folder]
    done = subprocess.run([*command, requirement], capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.skip(f"{requirement} cannot be downloaded: {done.stderr.strip().splitlines()[-1:]}")
