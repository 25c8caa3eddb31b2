"""Notifications reach the webhook: signed, in order, tried again, once each, and given up after a while (C-62)."""

import base64
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from dataops_core.clock import utcnow
from dataops_core.errors import ConfigurationError
from dataops_core.registry import notifications
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Notification
from dataops_core.settings import Settings
from dataops_core.watching import delivery
from dataops_core.watching.delivery import BACK_OFF, LEASE, Delivered, deliver_due, sign
from tests.dataops_core.watching.receiver import SECRET, Receiver, receiving

CHECKOUT = Path(__file__).parents[3]


@dataclass
class Outbox:
    """Notifications of a test, and rounds of deliveries."""

    database: Database
    database_url: str
    settings: Settings

    def add(self, event: str = "dataset.below_threshold", *, dataset_id: UUID | None = None) -> UUID:
        with self.database.transaction() as session:
            return notifications.add(
                session,
                event,
                {"name": "ACME Ünïcode"},
                dataset_id=dataset_id or uuid4(),
                client_id=uuid4(),
                now=utcnow(),
            )

    def round(self, *, now: datetime | None = None) -> Delivered:
        return deliver_due(self.database, self.settings, now=now)

    def stored(self, notification_id: UUID) -> Notification:
        with self.database.transaction() as session:
            return session.scalars(select(Notification).where(Notification.notification_id == notification_id)).one()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def outbox(database: Database, database_url: str, receiver: Receiver, tmp_path: Path) -> Outbox:
    settings = Settings(home=tmp_path, webhook_url=SecretStr(receiver.url), webhook_secret=SecretStr(SECRET))
    return Outbox(database, database_url, settings)


def test_a_notification_is_sent_once_signed_as_standard_webhooks_say(outbox: Outbox, receiver: Receiver) -> None:
    """C-62."""
    notification_id = outbox.add()
    assert outbox.round() == Delivered(delivered=1)
    assert outbox.round() == Delivered()
    (message,) = receiver.messages
    assert message.is_genuine()
    assert not message.is_genuine(b"another key of thirty-two bytes.")
    assert message.id == str(notification_id)
    assert message.path == "/hook?channel=dataops"
    assert message.headers["content-type"] == "application/json"
    assert message.content["type"] == "dataset.below_threshold"
    assert message.content["data"] == {"name": "ACME Ünïcode"}
    stored = outbox.stored(notification_id)
    assert (stored.attempts, stored.given_up_at, stored.last_error) == (1, None, None)
    assert stored.delivered_at is not None


def test_the_signature_is_that_of_the_published_example() -> None:
    """C-62: the example of Standard Webhooks' libraries."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    example = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    made = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}')
    assert made == example


def test_a_receiver_that_fails_and_then_takes_it_gets_the_same_message_again(
    outbox: Outbox, receiver: Receiver
) -> None:
    """C-62: the same id and the same bytes at each try, each with a signature of its own time."""
    receiver.answers = [500, 429]
    notification_id = outbox.add()
    now = utcnow()
    assert outbox.round(now=now) == Delivered(failed=1)
    assert outbox.stored(notification_id).last_error == "the receiver answered 500"
    assert outbox.round(now=now + BACK_OFF[0] - timedelta(seconds=1)) == Delivered()
    now += BACK_OFF[0]
    assert outbox.round(now=now) == Delivered(failed=1)
    assert outbox.round(now=now + BACK_OFF[1] - timedelta(seconds=1)) == Delivered()
    assert outbox.round(now=now + BACK_OFF[1]) == Delivered(delivered=1)
    assert len(receiver.messages) == 3
    assert len({(message.id, message.body) for message in receiver.messages}) == 1
    assert all(message.is_genuine() for message in receiver.messages)
    assert outbox.stored(notification_id).attempts == 3


def test_a_redirect_is_not_followed_and_is_no_success(outbox: Outbox, receiver: Receiver) -> None:
    """A receiver that was taken over sends us nowhere."""
    receiver.answers, receiver.headers = [307], {"Location": receiver.url + "&elsewhere=1"}
    outbox.add()
    assert outbox.round() == Delivered(failed=1)
    assert len(receiver.messages) == 1


def test_a_receiver_that_is_away_or_silent_is_tried_again(
    outbox: Outbox, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """C-62: and the address, which may hold a secret, is said nowhere."""
    notification_id = outbox.add()
    monkeypatch.setattr(delivery, "TIMEOUT_SECONDS", 0.2)
    receiver.open.clear()
    with caplog.at_level(logging.INFO):
        assert outbox.round() == Delivered(failed=1)
    assert outbox.stored(notification_id).last_error == "the receiver did not answer within 0.2 s"
    receiver.open.set()
    nowhere = outbox.settings.model_copy(update={"webhook_url": SecretStr("http://127.0.0.1:9/hook?channel=dataops")})
    with caplog.at_level(logging.INFO):
        assert deliver_due(outbox.database, nowhere, now=utcnow() + timedelta(hours=1)) == Delivered(failed=1)
    assert outbox.stored(notification_id).last_error == "the receiver could not be reached (ConnectError)"
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("dataops")]
    assert len(ours) == 2
    assert not any("channel" in line or SECRET in line for line in ours)
    assert "channel" not in repr(outbox.settings)
    assert SECRET not in repr(outbox.settings)


def test_a_recovery_never_overtakes_the_fall_and_holds_nobody_else_up(outbox: Outbox, receiver: Receiver) -> None:
    """C-62."""
    dataset_id = uuid4()
    fell, recovered = outbox.add(dataset_id=dataset_id), outbox.add("dataset.recovered", dataset_id=dataset_id)
    receiver.answers = [503]
    now = utcnow()
    assert outbox.round(now=now) == Delivered(failed=1)
    other = outbox.add()
    assert outbox.round() == Delivered(delivered=1)
    assert outbox.round(now=now + BACK_OFF[0]) == Delivered(delivered=1)
    assert outbox.round(now=now + BACK_OFF[0]) == Delivered(delivered=1)
    assert [message.id for message in receiver.messages] == [str(one) for one in (fell, other, fell, recovered)]


def test_one_that_nobody_takes_is_given_up_and_the_next_has_its_turn(outbox: Outbox, receiver: Receiver) -> None:
    """C-62."""
    dataset_id = uuid4()
    lost, next_one = outbox.add(dataset_id=dataset_id), outbox.add("dataset.recovered", dataset_id=dataset_id)
    receiver.answers = [500, 500]
    later = utcnow() + timedelta(hours=outbox.settings.webhook_give_up_hours)
    assert outbox.round() == Delivered(failed=1)
    assert outbox.round(now=later) == Delivered(given_up=1)
    stored = outbox.stored(lost)
    assert (stored.given_up_at, stored.last_error, stored.delivered_at) == (later, "the receiver answered 500", None)
    assert outbox.round(now=later) == Delivered(delivered=1)
    assert receiver.messages[-1].id == str(next_one)


def test_rounds_at_once_send_each_notification_once(outbox: Outbox, receiver: Receiver) -> None:
    """C-62: two daemons on one database."""
    ids = {str(outbox.add()) for _ in range(30)}
    with ThreadPoolExecutor(4) as pool:
        done = [future.result() for future in [pool.submit(outbox.round) for _ in range(8)]]
    assert sum(one.delivered for one in done) == 30
    assert sorted(message.id for message in receiver.messages) == sorted(ids)


def test_a_delivery_that_was_killed_goes_on_with_the_same_id(outbox: Outbox, receiver: Receiver) -> None:
    """C-62: the receiver has it, nobody knows that, and gets it again: the id tells it so."""
    notification_id = outbox.add()
    receiver.open.clear()
    code = (
        "from dataops_core.registry.database import Database; from dataops_core.settings import Settings; "
        "from dataops_core.watching.delivery import deliver_due; settings = Settings.load(); "
        "deliver_due(Database.from_settings(settings), settings)"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DATAOPS_")} | {
        "DATAOPS_HOME": str(outbox.settings.home),
        "DATAOPS_DATABASE_URL": outbox.database_url,
        "DATAOPS_WEBHOOK_URL": receiver.url,
        "DATAOPS_WEBHOOK_SECRET": SECRET,
    }
    with subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=CHECKOUT) as process:
        assert receiver.arrived.acquire(timeout=60)
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
    receiver.open.set()
    assert outbox.round() == Delivered()
    assert outbox.round(now=utcnow() + LEASE) == Delivered(delivered=1)
    assert [message.id for message in receiver.messages] == [str(notification_id)] * 2
    assert outbox.stored(notification_id).attempts == 2


def test_without_a_webhook_nothing_is_sent_and_what_waits_is_given_up_when_it_is_old(
    outbox: Outbox, receiver: Receiver
) -> None:
    """A second daemon that knows of no webhook takes nothing from the one that does."""
    notification_id = outbox.add()
    without = outbox.settings.model_copy(update={"webhook_url": None})
    assert deliver_due(outbox.database, without) == Delivered()
    later = utcnow() + timedelta(hours=without.webhook_give_up_hours)
    assert deliver_due(outbox.database, without, now=later) == Delivered(given_up=1)
    assert outbox.stored(notification_id).last_error == "no webhook was set"
    assert outbox.round(now=later) == Delivered()
    assert receiver.messages == []


@pytest.mark.parametrize(
    ("url", "secret", "sentence"),
    [
        ("ftp://example.org/x", SECRET, "DATAOPS_WEBHOOK_URL: .*must begin with http"),
        ("https://", SECRET, "DATAOPS_WEBHOOK_URL: .*must name a host"),
        ("https://me:word@example.org", SECRET, "DATAOPS_WEBHOOK_URL: .*no user or password"),
        ("https://example.org/x", "", "DATAOPS_WEBHOOK_URL: .*DATAOPS_WEBHOOK_SECRET"),
        ("https://example.org/x", "plain", "DATAOPS_WEBHOOK_SECRET: .*whsec_"),
        ("https://example.org/x", "whsec_c2hvcnQ=", "DATAOPS_WEBHOOK_SECRET: .*24 to 64 bytes"),
    ],
)
def test_a_webhook_that_is_none_is_refused_by_name_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, url: str, secret: str, sentence: str
) -> None:
    monkeypatch.setenv("DATAOPS_WEBHOOK_URL", url)
    monkeypatch.setenv("DATAOPS_WEBHOOK_SECRET", secret)
    with pytest.raises(ConfigurationError, match=sentence) as error:
        Settings.load()
    assert "word" not in error.value.message.replace("password", "")
    assert "c2hvcnQ=" not in error.value.message
