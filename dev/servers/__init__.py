"""Private MariaDB and Redis servers of this checkout, for the demo, the tests and the benchmark.

`running()` is what a command needs; `extra_mariadb()` and `extra_redis()` give
servers that one may hurt.
Imports nothing of the product.
"""

from dev.servers.client import running
from dev.servers.extra import extra_mariadb, extra_redis
from dev.servers.mariadb import MariadbServer
from dev.servers.redis_server import RedisServer
from dev.servers.values import MariaDB, Servers, ServersError

__all__ = [
    "MariaDB",
    "MariadbServer",
    "RedisServer",
    "Servers",
    "ServersError",
    "extra_mariadb",
    "extra_redis",
    "running",
]
