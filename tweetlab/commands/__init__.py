"""The command line; nothing heavy is imported until a command runs.

main      the arguments, and which command they ask for
demo      ``tweetlab demo``: the headline experiment
endpoint  ``tweetlab endpoint``: serves a DynamoDB that throttles
doctor    ``tweetlab doctor``: is this machine ready for the lessons?
checkup   what the doctor looks at
"""

__all__ = ["doctor"]
