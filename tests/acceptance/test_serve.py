import json
import signal
import urllib.error
import urllib.request

import pytest

from gateway.store import migrate
from tests.kit.commands import run
from tests.kit.process import configure, jiesu, served

pytestmark = pytest.mark.acceptance


def get(url):
    with urllib.request.urlopen(url) as answer:
        return answer.status, answer.read().decode()


def test_a_server_serves_its_pages_and_stops_cleanly(tmp_path):
    config = configure(tmp_path, f"sqlite:///{tmp_path}/jiesu.sqlite3")
    with served(config) as (process, address):
        assert "12345" in get(f"{address}/")[1]
        assert json.loads(get(f"{address}/health/live")[1]) == {"live": True}
        assert json.loads(get(f"{address}/health/ready")[1]) == {"ready": True}
        assert "jiesu_outbox_depth" in get(f"{address}/metrics")[1]
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(f"{address}/channels/unknown")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("line", "setting"),
    [
        ('database = "mysql://x"', "database"),
        ("prot = 80", "prot"),
        ('[channels.wx]\nkind = "pigeon"', "channels.wx.kind"),
        ('[channels.wx]\nkind = "wechat"', "channels.wx.app_id"),
        ("workers = 4", "workers"),
        ('profile = "none.toml"', "profile"),
    ],
)
def test_wrong_settings_refuse_the_start_and_name_the_cure(tmp_path, line, setting):
    config = tmp_path / "jiesu.toml"
    config.write_text(line + "\n")
    done = run("serve", "--config", str(config), "--port", "0")
    assert done.returncode == 2
    assert f"setting {setting}:" in done.stderr.replace("\n", " ")


def test_another_key_does_not_open_the_database(tmp_path):
    config = configure(tmp_path, f"sqlite:///{tmp_path}/jiesu.sqlite3")
    assert jiesu(config, "case", "list") == []
    (tmp_path / "key").write_text("00" * 32)
    done = run("case", "list", "--config", str(config))
    assert (done.returncode, "key_file" in done.stderr) == (2, True)


def test_the_doctor_finds_the_account_that_does_not_answer(tmp_path):
    config = configure(tmp_path, f"sqlite:///{tmp_path}/jiesu.sqlite3")
    findings = jiesu(config, "doctor")
    assert any(not finding["ok"] and "wx" in finding["what"] and finding["cure"] for finding in findings)
    assert any(finding["ok"] and "数据库" in finding["what"] for finding in findings)


def test_entries_go_in_and_out_by_command_and_a_bad_file_changes_nothing(tmp_path):
    config = configure(tmp_path, f"sqlite:///{tmp_path}/jiesu.sqlite3")
    good, bad, out = (tmp_path / name for name in ("good.csv", "bad.csv", "out.json"))
    good.write_text("id,title,answer_short,status\ngjj,公积金怎么提取,到公积金中心办理。,published\n")
    bad.write_text(
        "id,title,answer_short,status\nsbk,社保卡怎么补办,拨打12333。,published\nx,没有答案,,draft\n"
    )
    brought = run("knowledge", "import", str(good), "--config", str(config))
    assert (brought.returncode, "新增 1 条" in brought.stdout) == (0, True)
    refused = run("knowledge", "import", str(bad), "--config", str(config))
    assert (refused.returncode, "第3行 answer_short：不能为空" in refused.stderr) == (1, True)
    assert [row["id"] for row in jiesu(config, "knowledge", "list", "--status", "published")] == ["gjj"]
    assert jiesu(config, "knowledge", "gaps") == []
    assert run("knowledge", "export", str(out), "--config", str(config)).returncode == 0
    assert [entry["title"] for entry in json.loads(out.read_text())] == ["公积金怎么提取"]


def test_migrate_says_where_the_tables_stand(tmp_path):
    config = configure(tmp_path, f"sqlite:///{tmp_path}/jiesu.sqlite3")
    assert migrate.head() in run("migrate", "--config", str(config)).stdout
