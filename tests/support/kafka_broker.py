"""Apache Kafka as a plain process: one KRaft node, broker and controller in one, on loopback.

The jars come from Maven Central by `make kafka`.
"""

import base64
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import NewPartitions, NewTopic
from kafka.errors import KafkaError

from tests.support.processes import Program, free_port, wait_until

LIBS = Path(__file__).parents[2] / ".tools" / "kafka"

START_TIMEOUT_S = 90.0

JVM = ["java", "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}{listeners}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}{advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT{protocols}
controller.listener.names=CONTROLLER
log.dirs={data}
num.partitions=1
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
group.initial.rebalance.delay.ms=0
delete.topic.enable=true
log.retention.check.interval.ms=1000
log.initial.task.delay.ms=1000
file.delete.delay.ms=500
{extra}
"""

LOG4J = """\
<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="ERROR"><Appenders>
<Console name="out"><PatternLayout pattern="%d %p %m (%c)%n"/></Console></Appenders>
<Loggers><Root level="WARN"><AppenderRef ref="out"/></Root></Loggers></Configuration>
"""


class Listener(NamedTuple):
    """One more address of a broker."""

    name: str
    port: int
    advertised: int
    """The port that the broker gives clients as its own."""
    protocol: str = "PLAINTEXT"


def kafka_available() -> str | None:
    """Return why Apache Kafka cannot be run here; None if it can."""
    if shutil.which("java") is None:
        return "there is no `java`; install a JDK 17"
    if not list(LIBS.glob("kafka_2.13-*.jar")):
        return "Apache Kafka is not fetched; run `make kafka`"
    return None


class KafkaBroker:
    """One broker; `start` and `stop` as often as a test likes, on the same ports and data."""

    def __init__(
        self,
        directory: Path | None = None,
        beside: Sequence[Listener] = (),
        scram: Mapping[str, str] | None = None,
        **properties: str,
    ) -> None:
        """Prepare a broker with these users (name -> password, for SCRAM) and properties, `_` for `.`."""
        self._own = tempfile.TemporaryDirectory(prefix="kafka-") if directory is None else None
        self.directory = Path(self._own.name) if self._own is not None else directory
        self.port = free_port()
        self._program: Program | None = None
        extra = "\n".join(f"{name.replace('_', '.')}={value}" for name, value in properties.items())
        config = PROPERTIES.format(
            port=self.port, controller=free_port(), data=self.directory / "data", extra=extra,
            listeners="".join(f",{one.name}://127.0.0.1:{one.port}" for one in beside),
            advertised="".join(f",{one.name}://127.0.0.1:{one.advertised}" for one in beside),
            protocols="".join(f",{one.name}:{one.protocol}" for one in beside),
        )  # fmt: skip
        (self.directory / "server.properties").write_text(config)
        (self.directory / "log4j2.xml").write_text(LOG4J)
        self._java(
            "kafka.tools.StorageTool",
            "format",
            "-t",
            _cluster_id(),
            "-c",
            str(self.directory / "server.properties"),
            *(
                f"--add-scram={mechanism}=[name={name},password={password}]"
                for name, password in (scram or {}).items()
                for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
            ),
        )

    @property
    def bootstrap(self) -> str:
        """Its address."""
        return f"127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        return self._program is not None and self._program.is_running

    def _command(self, main: str, *arguments: str) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={self.directory / 'log4j2.xml'}"
        return [*JVM, logging, "-cp", f"{LIBS}/*", main, *arguments]

    def _java(self, main: str, *arguments: str) -> None:
        subprocess.run(self._command(main, *arguments), check=True, capture_output=True, timeout=120)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        if self._own is not None:
            self._own.cleanup()

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._program = Program(
            self._command("kafka.Kafka", str(self.directory / "server.properties")),
            self.directory / "kafka.log",
        )
        try:
            wait_until(self._answers, START_TIMEOUT_S, "Kafka starts")
        except AssertionError:
            raise AssertionError(f"Apache Kafka did not start:\n{self._program.tail()}") from None

    def _answers(self) -> bool:
        assert self._program is not None
        if not self._program.is_running:
            raise AssertionError(f"Apache Kafka ended:\n{self._program.tail()}")
        try:
            with self.admin() as admin:
                return bool(admin.describe_cluster()["brokers"])
        except (KafkaError, OSError):
            return False

    def stop(self) -> None:
        """End it in good order."""
        self._running.terminate()

    def kill(self) -> None:
        """End it at once."""
        if self._program is not None:
            self._program.kill()

    def pause(self) -> None:
        """Freeze it: connections stay, answers do not come."""
        self._running.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._running.signal(signal.SIGCONT)

    @property
    def _running(self) -> Program:
        assert self._program is not None, "not started"
        return self._program

    def admin(self) -> "_Admin":
        """Return an admin client, to be used in a `with`."""
        return _Admin(self.bootstrap)

    def create_topic(self, name: str, partitions: int = 1, **configs: str) -> str:
        """Create a topic and wait until it can be used; return its name."""
        return create_topic(self.bootstrap, name, partitions, **configs)

    def delete_topic(self, name: str) -> None:
        """Delete a topic and wait until it is gone."""
        with self.admin() as admin:
            admin.delete_topics([name])
            wait_until(lambda: name not in admin.list_topics(), 30, f"topic {name} is gone")


class _Admin:
    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    def __enter__(self) -> KafkaAdminClient:
        self._client = KafkaAdminClient(
            bootstrap_servers=self._bootstrap, bootstrap_timeout_ms=5000, request_timeout_ms=5000
        )
        return self._client

    def __exit__(self, *_: object) -> None:
        self._client.close()


def create_topic(bootstrap: str, name: str, partitions: int = 1, **configs: str) -> str:
    """Create a topic on any cluster and wait until it can be used; return its name."""
    settings = {key.replace("_", "."): value for key, value in configs.items()}
    with _Admin(bootstrap) as admin:
        admin.create_topics([NewTopic(name, partitions, 1, topic_configs=settings)])
        wait_until(lambda: name in admin.list_topics(), 30, f"topic {name} is there")
    return name


def delete_records(bootstrap: str, topic: str, partition: int, before: int) -> None:
    """Delete the records before an offset, as retention does."""
    with _Admin(bootstrap) as admin:
        admin.delete_records({TopicPartition(topic, partition): before})


def add_partitions(bootstrap: str, topic: str, total: int) -> None:
    """Give a topic more partitions."""
    with _Admin(bootstrap) as admin:
        admin.create_partitions({topic: NewPartitions(total)})


def _cluster_id() -> str:
    # Kafka's way to write a UUID; one that begins with a dash would be taken for an option.
    return "K" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
