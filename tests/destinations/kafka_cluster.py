"""The cluster that librdkafka brings along for tests, which its Python package has no words for."""

import ctypes
from pathlib import Path
from typing import Self

import confluent_kafka

BROKERS = 3
PRODUCER = 0
REPLICAS = 3
PRODUCE_KEY = 0
ERROR_CHARACTERS_MAX = 512

# As the protocol numbers them.
UNKNOWN_TOPIC, TOO_LARGE, TOPIC_NOT_ALLOWED = 3, 10, 29


def _library() -> ctypes.CDLL:
    package = Path(confluent_kafka.__file__).parent
    [place] = package.parent.glob("confluent_kafka.libs/librdkafka*.so*")
    library = ctypes.CDLL(str(place))
    for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_mock_cluster_new"):
        getattr(library, name).restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    return library


class KafkaCluster:
    """Brokers in threads of this process that listen on loopback."""

    def __enter__(self) -> Self:
        self._library = _library()
        error = ctypes.create_string_buffer(ERROR_CHARACTERS_MAX)
        configuration = ctypes.c_void_p(self._library.rd_kafka_conf_new())
        self._client = ctypes.c_void_p(
            self._library.rd_kafka_new(PRODUCER, configuration, error, ctypes.c_size_t(ERROR_CHARACTERS_MAX))
        )
        assert self._client.value, error.value
        self._cluster = ctypes.c_void_p(self._library.rd_kafka_mock_cluster_new(self._client, BROKERS))
        return self

    def __exit__(self, *_: object) -> None:
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._client)

    @property
    def servers(self) -> tuple[str, ...]:
        return tuple(self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode().split(","))

    def create(self, topic: str, partitions: int) -> None:
        assert self._library.rd_kafka_mock_topic_create(self._cluster, topic.encode(), partitions, REPLICAS) == 0

    def refuse(self, topic: str, error: int) -> None:
        """Have the brokers say this of a topic."""
        self._library.rd_kafka_mock_topic_set_error(self._cluster, topic.encode(), error)

    def refuse_next_produce(self, error: int) -> None:
        self._library.rd_kafka_mock_push_request_errors(
            self._cluster, ctypes.c_int16(PRODUCE_KEY), ctypes.c_size_t(1), ctypes.c_int(error)
        )

    def down(self) -> None:
        for broker in range(1, BROKERS + 1):
            self._library.rd_kafka_mock_broker_set_down(self._cluster, broker)

    def up(self) -> None:
        for broker in range(1, BROKERS + 1):
            self._library.rd_kafka_mock_broker_set_up(self._cluster, broker)
