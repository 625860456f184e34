import pytest

from gateway.settings import load
from normalizer.errors import Misconfigured


def test_the_environment_wins_over_the_file(tmp_path):
    path = tmp_path / "jiesu.toml"
    path.write_text('database = "sqlite:///a.db"\nport = 1\n[channels.wx]\nkind = "wechat"\nsecret = "a"\n')
    settings = load(path, {"JIESU_PORT": "2", "JIESU_CHANNELS__WX__SECRET": "b", "JIESU_TEST_X": "y"})
    assert settings.port == 2
    assert settings.channels["wx"] == {"kind": "wechat", "secret": "b"}


def test_paths_are_read_from_the_configurations_folder(tmp_path):
    path = tmp_path / "jiesu.toml"
    path.write_text('database = "sqlite:///a.db"\n')
    settings = load(path, {})
    assert settings.database == f"sqlite:///{tmp_path}/a.db"
    assert settings.key_path == tmp_path / "a.db.key"
    path.write_text('database = "postgresql://localhost/x"\n')
    assert load(path, {}).key_path == tmp_path / "jiesu.key"


def test_a_secret_may_stand_in_a_file_and_is_never_shown(tmp_path):
    (tmp_path / "s").write_text("very-secret\n")
    path = tmp_path / "jiesu.toml"
    path.write_text(f'[channels.wx]\nsecret_file = "{tmp_path}/s"\n')
    settings = load(path, {})
    assert settings.channels["wx"]["secret"] == "very-secret"
    assert "very-secret" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "setting", "cure"),
    [
        ("port = 99999", "port", "65535"),
        ("databse = 'x'", "databse", "did you mean database"),
        ("workers = 3", "workers", "PostgreSQL"),
        ("[limits]\npendng = 3", "limits.pendng", "pending"),
        ("port = ", "--config", "TOML"),
        ("log_level = 'loud'", "log_level", "info"),
    ],
)
def test_a_wrong_setting_is_named_with_its_cure(tmp_path, text, setting, cure):
    path = tmp_path / "jiesu.toml"
    path.write_text(text)
    with pytest.raises(Misconfigured) as wrong:
        load(path, {})
    assert wrong.value.setting == setting
    assert cure in wrong.value.cure


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(Misconfigured, match="cannot read"):
        load(tmp_path / "none.toml", {})
