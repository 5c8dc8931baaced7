"""A Redis to break: to kill, to hang, to start again. It is nobody else's."""

import os
import secrets
import signal

import redis

from tweetlab.lab.closing import Closing
from tweetlab.lab.servers import LabServers, free_port


class BreakableRedis(Closing):
    """Another Valkey, beside the lab's, always on the same port of 127.0.0.1.

    It ends with this process, however it ends, even while it hangs. It takes POSIX signals: Linux,
    macOS, or WSL. Raises LabError if it cannot be started.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self._password = secrets.token_hex(16)
        self.url = f"redis://:{self._password}@127.0.0.1:{self.port}/0"
        self._servers: LabServers | None = None
        self._pid = 0
        self.start()

    def start(self) -> None:
        """Start it again, empty, after it was killed."""
        if self._pid:
            return
        self._end()
        self._servers = LabServers(
            dynamodb=False, redis_port=self.port, redis_password=self._password
        )
        with redis.Redis.from_url(self.url) as client:
            self._pid = client.info("server")["process_id"]

    def hang(self) -> None:
        """Suspend it (SIGSTOP): it accepts connections and requests, and answers none."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on (SIGCONT) where it was suspended."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once (SIGKILL), with all it holds; its port refuses connections then."""
        self._signal(signal.SIGKILL)
        self._pid = 0

    def close(self) -> None:
        """End it, also while it hangs; doing it twice changes nothing."""
        self.kill()
        self._end()

    def _end(self) -> None:
        if self._servers:
            self._servers.close()
            self._servers = None

    def _signal(self, number: signal.Signals) -> None:
        if self._pid:  # or another process may have the id by now
            os.kill(self._pid, number)
