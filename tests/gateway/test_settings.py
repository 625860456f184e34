import pytest

from gateway.desk.routing import Rules
from gateway.desk.rules import rules_of
from gateway.settings import load
from normalizer.errors import Misconfigured

SSO = "[desk.oidc]\nclient_id = 'jiesu'\n"


def test_the_environment_wins_over_the_file(tmp_path):
    path = tmp_path / "jiesu.toml"
    path.write_text('database = "sqlite:///a.db"\nport = 1\n[channels.wx]\nkind = "wechat"\nsecret = "a"\n')
    settings = load(path, {"JIESU_PORT": "2", "JIESU_CHANNELS__WX__SECRET": "b", "JIESU_TEST_X": "y"})
    assert settings.port == 2
    assert settings.channels["wx"] == {"kind": "wechat", "secret": "b"}


def test_an_api_key_stands_bare_or_in_a_file_and_is_never_shown(tmp_path):
    (tmp_path / "s").write_text("very-secret-key-1\n")
    path = tmp_path / "jiesu.toml"
    rooms = f'app = "very-secret-key-2"\nnews_file = "{tmp_path}/s"\n[open311.api_keys.fms]\nkey_file = "{tmp_path}/s"'
    path.write_text(f"[open311.api_keys]\n{rooms}\n")
    with pytest.raises(Misconfigured, match="same key"):
        load(path, {})
    (tmp_path / "t").write_text("very-secret-key-3\n")
    path.write_text(f'[open311.api_keys]\n{rooms[:-2]}t"\n')
    settings = load(path, {})
    keys = {name: partner.key.get_secret_value() for name, partner in settings.open311.api_keys.items()}
    assert keys == {"app": "very-secret-key-2", "news": "very-secret-key-1", "fms": "very-secret-key-3"}
    assert "very-secret" not in repr(settings)


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
        ("[open311.api_keys]\napp = 'short'", "open311.api_keys.app.key", "16"),
        ("[open311.api_keys]\n'a/b' = '0123456789abcdef'", "open311.api_keys.a/b.[key]", "match"),
        ("[open311.api_keys]\na = '0123456789abcdef'\nb = '0123456789abcdef'", "open311", "same key"),
        (
            "[open311.api_keys.app]\nkey = '0123456789abcdef'\nsorce = '08'",
            "open311.api_keys.app.sorce",
            "did you mean source",
        ),
        ("[desk]\nundo_second = 5", "desk.undo_second", "did you mean undo_seconds"),
        ('[desk]\nhours = [["12:00", "08:00"]]', "desk.hours", "in their order"),
        ('[desk]\nhours = [["08:00", "12:00"], ["11:00", "13:00"]]', "desk.hours", "in their order"),
        ('[desk]\nmode = "push"', "desk.mode", "offer"),
        (f"{SSO}issuer = 'https://sso.example'\nclam = 'x'", "desk.oidc.clam", "did you mean claim"),
        (f"{SSO}issuer = 'http://sso.example'", "desk.oidc.issuer", "https"),
        (f"{SSO}issuer = 'https://sso.example?a'", "desk.oidc.issuer", "without ?"),
        (f"{SSO}issuer = 'https://sso.example'\nscope = ['profile']", "desk.oidc.scope", "openid"),
        (f"{SSO}issuer = 'https://sso.example'", "public_url", "set it"),
        ("[open311]\ncontcat = 'x'", "open311.contcat", "did you mean contact"),
    ],
)
def test_a_wrong_setting_is_named_with_its_cure(tmp_path, text, setting, cure):
    path = tmp_path / "jiesu.toml"
    path.write_text(text)
    with pytest.raises(Misconfigured) as wrong:
        load(path, {})
    assert wrong.value.setting == setting
    assert cure in wrong.value.cure


def test_the_secret_of_single_sign_on_stands_in_a_file_and_is_never_shown(tmp_path):
    (tmp_path / "s").write_text("very-secret\n")
    path = tmp_path / "jiesu.toml"
    path.write_text(
        f'public_url = "https://a.example"\n{SSO}issuer = "https://sso.example/"\nclient_secret_file = "{tmp_path}/s"'
    )
    settings = load(path, {"JIESU_DESK__OIDC__CLAIM": "employee"})
    oidc = settings.desk.oidc
    assert (oidc.client_secret.get_secret_value(), oidc.claim) == ("very-secret", "employee")
    assert "very-secret" not in repr(settings)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(Misconfigured, match="cannot read"):
        load(tmp_path / "none.toml", {})


def test_the_desk_is_set_in_seconds_and_works_in_milliseconds(tmp_path):
    path = tmp_path / "jiesu.toml"
    path.write_text('[desk]\nmode = "assign"\nundo_seconds = 5\nidle_minutes = 7\n')
    rules = rules_of(load(path, {}).desk)
    assert (rules.offers, rules.undo_ms, rules.idle_ms) == (False, 5_000, 420_000)


def test_a_desk_that_is_not_set_works_by_the_rules_own_values():
    assert rules_of(load(None, {}).desk) == Rules()
