"""The same experiment in virtual time, and the game that is played in it.

virtual_time   replay(): a table, a cache and many readers, on a clock of its own
policy         which tweets a cache keeps, and for how long
timeline       the game of the last lesson: a load, policies, their score
prices         what the reads cost on AWS
policy_reader  a policy on real servers
"""

from tweetlab.simulate import prices, timeline
from tweetlab.simulate.policy import KeepAll, Policy, TweetHistory
from tweetlab.simulate.policy_reader import PolicyReader
from tweetlab.simulate.virtual_time import replay

__all__ = ["KeepAll", "Policy", "PolicyReader", "TweetHistory", "prices", "replay", "timeline"]
