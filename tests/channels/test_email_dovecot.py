"""The intake loop against a real Dovecot: pushed mail, cut lines, a mailbox made anew, thousands waiting."""

import asyncio
import os
import shutil
from collections import Counter
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import ClientSession

from channels.email import hand
from channels.email.imap import Mailbox
from channels.email.letters import Letters
from channels.email.receive import Receiver
from channels.email.settings import Settings
from channels.settings import read
from normalizer.errors import Busy
from tests.kit.doors import Blobs, Door, tools
from tests.kit.mail import PASSWORD, USER, append, count, home, line, mailbox_server

MANY = int(os.environ.get("JIESU_TEST_MAILS", "1000"))


def mail(n, size=40):
    return (
        f"From: citizen{n}@qq.com\r\nTo: 12345@city.example\r\nSubject: =?utf-8?B?6Lev54Gv?= {n}\r\n"
        f"Message-ID: <m{n}@qq.com>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        f"青年路第{n}盏路灯坏了 {'x' * size}\r\n"
    ).encode()


async def test_a_mail_is_pushed_taken_in_and_filed_away(server):
    port, door = server, Door(None)
    async with receiving(port, door):
        append(port, mail(1))
        await until(lambda: len(door.messages) == 1)
        append(port, mail(2))
        await until(lambda: len(door.messages) == 2)
        await filed(port, 2)
    assert [message.sender for message in door.messages] == ["citizen1@qq.com", "citizen2@qq.com"]
    assert "第1盏路灯坏了" in door.messages[0].text
    assert count(port, "INBOX") == 0


async def test_a_line_cut_in_the_middle_of_a_mail_loses_and_doubles_nothing(server):
    append(server, *(mail(n, 30_000) for n in range(6)))
    door = Door(None)
    async with line(server) as cut:
        cut.cut_after = 75_000
        async with receiving(cut.port, door):
            await until(lambda: len(known(door)) == 6)
            await filed(server, 6)
    assert cut.connections == 2
    assert sorted(known(door)) == [f"citizen{n}@qq.com" for n in range(6)]


async def test_a_line_cut_while_nothing_happens_is_noticed_at_once(server):
    door = Door(None)
    async with line(server) as cut, receiving(cut.port, door):
        append(server, mail(1))
        await until(lambda: len(door.messages) == 1)
        cut.cut_after = 1
        append(server, mail(2))
        await until(lambda: len(door.messages) == 2)
    assert cut.connections == 2


async def test_a_mailbox_made_anew_loses_nothing(server, folder):
    append(server, mail(1), mail(2))
    door = Door(None)
    async with receiving(server, door):
        await until(lambda: len(door.messages) == 2)
        await filed(server, 2)
    # The mailbox is lost and restored from a copy: new UIDVALIDITY, and the same mails once more with a new one.
    shutil.rmtree(folder / "mail" / USER)
    append(server, mail(1), mail(2), mail(3))
    async with receiving(server, door):
        await until(lambda: len(known(door)) == 3)
        await filed(server, 3)
    assert len({message.external_id for message in door.messages}) == 3


@pytest.mark.timeout(60 + MANY // 10)
async def test_thousands_that_wait_are_all_taken_in(server):
    append(server, *(mail(n) for n in range(MANY)))
    door = Door(None)
    async with receiving(server, door):
        # A session that is lost on a busy machine brings some twice, which the gateway knows.
        await until(lambda: len(known(door)) == MANY, 30 + MANY / 10)
        await filed(server, MANY)


async def test_a_server_without_move_or_push_is_served_too(folder):
    without = "imap_capability = IMAP4rev1 LITERAL+ UIDPLUS"
    with mailbox_server(folder, without) as port:
        door = Door(None)
        async with receiving(port, door, poll_seconds=1):
            append(port, mail(1))
            await until(lambda: len(door.messages) == 1)
            await filed(port, 1)
    assert count_of(door) == {"citizen1@qq.com": 1}


async def test_a_poison_mail_goes_aside_and_blocks_nobody(server):
    class Choking(Door):
        async def accept(self, message):
            if message.sender == "citizen2@qq.com":
                raise RuntimeError("no end in sight")
            return await super().accept(message)

    append(server, mail(1), mail(2), mail(3))
    door = Choking(None)
    async with receiving(server, door):
        await until(lambda: len(door.messages) == 2)
        await filed(server, 2)
        await filed(server, 1, "Failed")


async def test_a_mail_that_the_server_cannot_read_blocks_nobody(server, folder):
    append(server, mail(1), mail(2), mail(3))
    broken = next(
        path for path in (folder / "mail").rglob("*") if path.is_file() and b"<m2@" in path.read_bytes()
    )
    broken.chmod(0)
    door = Door(None)
    async with receiving(server, door):
        await filed(server, 2)
        append(server, mail(4))
        await filed(server, 3)
    assert known(door) == {"citizen1@qq.com", "citizen3@qq.com", "citizen4@qq.com"}
    assert count(server, "INBOX") == 1


async def test_a_mail_that_waits_holds_up_only_its_own_sender_and_is_filed_after_it_is_written(server):
    class Slow(Door):
        async def accept(self, message):
            if message.external_id.startswith("<m1@"):
                await written.wait()
            return await super().accept(message)

    written, door = asyncio.Event(), Slow(None)
    again = mail(4).replace(b"From: citizen4@", b"From: citizen1@")
    append(server, mail(1), mail(2), mail(3), again)
    async with receiving(server, door):
        await filed(server, 2)
        assert {message.name for message in door.messages} == {"<m2@qq.com>", "<m3@qq.com>"}
        assert count(server, "INBOX") == 2
        written.set()
        await filed(server, 4)
    assert [message.name for message in door.messages[2:]] == ["<m1@qq.com>", "<m4@qq.com>"]


async def test_an_answer_to_a_mail_that_waits_comes_after_it(server):
    class Slow(Door):
        async def accept(self, message):
            if message.sender == "citizen1@qq.com":
                await written.wait()
            return await super().accept(message)

    written, door = asyncio.Event(), Slow(None)
    answer = mail(2).replace(b"Subject:", b"In-Reply-To: <m1@qq.com>\r\nSubject:")
    append(server, mail(1), answer, mail(3))
    async with receiving(server, door):
        await filed(server, 1)
        written.set()
        await filed(server, 3)
    assert [message.name for message in door.messages] == ["<m3@qq.com>", "<m1@qq.com>", "<m2@qq.com>"]


async def test_many_are_written_down_side_by_side_but_never_more_than_the_hand_holds(server):
    class Counting(Door):
        now = most = 0

        async def accept(self, message):
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.to_thread(lambda: None)
            if self.most == hand.LETTERS:
                full.set()
            await full.wait()
            self.now -= 1
            return await super().accept(message)

    full, door = asyncio.Event(), Counting(None)
    append(server, *(mail(n) for n in range(hand.LETTERS + 40)))
    async with line(server) as through, receiving(through.port, door):
        await filed(server, hand.LETTERS + 40)
    assert door.most == hand.LETTERS
    assert through.sent.count(b"MOVE") < (hand.LETTERS + 40) / 4


async def test_a_full_gateway_leaves_the_mail_where_it_is(server):
    append(server, mail(1))
    door = Door(None, busy=True)
    async with receiving(server, door):
        await asyncio.sleep(0.5)
        assert count(server, "INBOX") == 1
        door.busy = False
        await until(lambda: len(door.messages) == 1)
        await filed(server, 1)


async def test_a_mail_that_comes_while_others_are_taken_does_not_wait_for_the_next(server):
    class Late(Door):
        async def accept(self, message):
            if not self.messages:
                await asyncio.to_thread(append, server, mail(2))
            return await super().accept(message)

    append(server, mail(1))
    door = Late(None)
    async with receiving(server, door):
        await until(lambda: len(door.messages) == 2)
        await filed(server, 2)


async def test_a_mail_told_of_in_the_answer_to_another_command_is_not_waited_for(server):
    mailbox = await Mailbox.open(chosen(server))
    append(server, mail(1))
    # The server looks before it notes what came, tells of it in the same answer, and so not again by IDLE.
    assert await mailbox.uids() == []
    async with asyncio.timeout(10):
        await mailbox.wait(60, asyncio.sleep)
    assert await mailbox.uids() == [1]
    mailbox.close()


async def test_folders_have_the_names_that_people_read(server):
    append(server, mail(1), mail(2))

    class Choking(Door):
        async def accept(self, message):
            if message.sender == "citizen2@qq.com":
                raise RuntimeError("no end in sight")
            return await super().accept(message)

    async with receiving(server, Choking(None), processed_folder="已处理", failed_folder='没读懂 & "坏"'):
        await filed(server, 1, "&XfJZBHQG-")
        await filed(server, 1, '"&bKGL+2HC- &- \\"&V08-\\""')


async def test_a_store_that_is_away_for_a_moment_sends_no_mail_aside(server):
    class Away(Blobs):
        async def put(self, content):
            if len(tries) < 3:
                tries.append(1)
                raise Busy("disk full")
            return await super().put(content)

    tries = []
    made = mail(1).replace(b"text/plain", b"text/html")
    append(server, made)
    door = Door(None)
    async with receiving(server, door, Away()):
        await until(lambda: len(door.messages) == 1)
        await filed(server, 1)
    assert (len(tries), door.messages[0].damaged) == (3, False)


async def test_a_large_mail_is_read_in_part_and_marked(server):
    append(server, mail(1, 400_000))
    door = Door(None)
    async with receiving(server, door, max_size=64 * 1024):
        await until(lambda: len(door.messages) == 1)
        await filed(server, 1)
    [message] = door.messages
    assert message.damaged
    assert "too_large" in message.notes
    assert "第1盏路灯坏了" in message.text


async def test_a_wrong_password_is_said_and_tried_again_later(server):
    async with ClientSession() as http:
        pauses = []

        async def pause(seconds):
            pauses.append(seconds)
            if len(pauses) == 2:
                raise asyncio.CancelledError

        given = tools(http)
        settings = chosen(server, imap_secret="wrong")
        receiver = Receiver("mail", settings, given, Letters("mail", settings, given), pause)
        with pytest.raises(asyncio.CancelledError):
            await receiver.run()
    assert 0.7 < pauses[0] < pauses[1] < 3


def known(door):
    return {message.sender for message in door.messages}


def count_of(door):
    return Counter(message.sender for message in door.messages)


def chosen(port, **changes):
    raw = {
        "kind": "email",
        "address": "12345@city.example",
        "imap_host": "127.0.0.1",
        "imap_port": port,
        "imap_security": "none",
        "imap_user": USER,
        "imap_secret": PASSWORD,
        "smtp_host": "127.0.0.1",
        "smtp_port": 1,
    }
    return read(Settings, "mail", raw | changes)


@asynccontextmanager
async def receiving(port, door, blobs=None, **changes):
    async with ClientSession() as http:
        given = tools(http, door, blobs=blobs or Blobs())
        settings = chosen(port, **changes)

        async def pause(seconds):
            await asyncio.sleep(min(seconds, 0.05))

        receiver = Receiver("mail", settings, given, Letters("mail", settings, given), pause)
        task = asyncio.create_task(receiver.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def until(holds, seconds=20):
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.02)


async def filed(port, number, folder="Processed"):
    async with asyncio.timeout(20):
        while await asyncio.to_thread(count, port, folder) != number:
            await asyncio.sleep(0.05)


@pytest.fixture
def server(folder):
    with mailbox_server(folder) as port:
        yield port


@pytest.fixture
def folder():
    with home() as made:
        yield made
