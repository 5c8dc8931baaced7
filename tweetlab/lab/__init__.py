"""The lab: starts or finds the servers, and gives clients of them.

lab        Lab and start()
clients    boto3 clients that can reach nothing else
servers    the servers' process
breakable  a Redis to break
closing    what a ``with`` block closes
metrics    what the endpoint's tables consumed and refused
"""

from tweetlab.lab.breakable import BreakableRedis
from tweetlab.lab.lab import Lab, start
from tweetlab.lab.metrics import by_minute

__all__ = ["BreakableRedis", "Lab", "by_minute", "start"]
