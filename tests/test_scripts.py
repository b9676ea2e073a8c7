"""Which functions a project installs as commands, by each way to declare them."""

from pathlib import Path

import pytest

from flake8_dbsession.files.scripts import scripts_above, scripts_in

DECLARATIONS = {
    "pyproject.toml": """
        [project.scripts]
        shop = "shop.main:main"
        [project.gui-scripts]
        shop-window = "shop.window:open_window"
        [tool.poetry.scripts]
        shop-poetry = "shop.poetry:main"
        shop-file = {reference = "shop.told:main", type = "console"}
        [project.entry-points."shop.plugins"]
        plugin = "shop.plugins:plug_in"
    """,
    "setup.cfg": """
        [options.entry_points]
        console_scripts =
            shop-cfg = shop.cfg:main [fast]
            broken
        shop.plugins =
            plugin = shop.plugins:plug_in
    """,
    "setup.py": """
        from setuptools import setup
        setup(entry_points={"console_scripts": ["shop-py = shop.py_:main"], "plugins": ["x = shop.plugins:plug_in"]})
    """,
}
INSTALLED = {
    "pyproject.toml": {"shop.main.main", "shop.window.open_window", "shop.poetry.main", "shop.told.main"},
    "setup.cfg": {"shop.cfg.main"},
    "setup.py": {"shop.py_.main"},
}


@pytest.mark.parametrize("name", DECLARATIONS)
def test_commands_are_read_from_each_project_file(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, DECLARATIONS[name])
    assert scripts_in(str(tmp_path)) == INSTALLED[name]


def test_entry_points_may_be_one_text(tmp_path: Path) -> None:
    text = "[console_scripts]\nshop = shop.main:main\n[plugins]\nx = shop.plugins:plug_in"
    (tmp_path / "setup.py").write_text(f'from setuptools import setup\nsetup(entry_points="""\n{text}\n""")')
    assert scripts_in(str(tmp_path)) == {"shop.main.main"}


@pytest.mark.parametrize("name", DECLARATIONS)
def test_a_broken_file_declares_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("[[[ (")
    assert scripts_in(str(tmp_path)) == set()


def test_the_folders_up_to_the_root_are_read(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", '[project.scripts]\nouter = "outer.main:main"')
    write(tmp_path / "root" / "pyproject.toml", '[project.scripts]\nshop = "shop.main:main"')
    inside = tmp_path / "root" / "src" / "shop" / "main.py"
    assert scripts_above(str(inside), str(tmp_path / "root")) == {"shop.main.main"}


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(line.removeprefix("        ") for line in text.splitlines()))
