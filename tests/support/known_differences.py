"""Where the endpoint's answers are not the upstream's, and why."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.support.calls import Outcome

MOTO, LOCAL = ("moto",), ("DynamoDB Local",)
BOTH = MOTO + LOCAL


@dataclass(frozen=True)
class Known:
    """Calls (``scene / operation: detail``), and what is answered plainly and by us, as patterns:
    ``*`` stands for anything. An answer is its status, the error's name and its message."""

    reason: str
    upstreams: tuple[str, ...]
    calls: tuple[str, ...]
    ours: str
    plain: str = "*"

    def covers(self, upstream: str, call: str, plain: Outcome, ours: Outcome) -> bool:
        return (
            upstream in self.upstreams
            and any(fnmatchcase(call, pattern) for pattern in self.calls)
            and fnmatchcase(_said(plain), self.plain)
            and fnmatchcase(_said(ours), self.ours)
        )


def _said(outcome: Outcome) -> str:
    content = outcome.content
    text = content.get("message", "") if isinstance(content, dict) else content
    return " ".join([str(outcome.status), outcome.error, str(text)])


WRONG_TYPE = (
    "*of a wrong type*",
    "keys / *: a key, not a value",
    "keys / *: a key, a number for a string",
    "puts / PutItem: * of a string",
    "puts / PutItem: a set of sets",
    "puts / PutItem: a number that is no text",
    "puts / PutItem: a * that is a *",
    "puts / PutItem: a string",
    "searches / Query: limit '10'",
    "searches / Query: limit True",
)
CONSTRAINT = (
    "* not of the enum",
    "* BOGUS*",
    "*a bad *",
    "*of a bad kind",
    "* empty",
    "* without *",
    "*though it is needed",
    "* below the least",
    "* with a short name",
    "* limit 0",
    "* limit -1",
    "* limit 2147483648",
    "* segment -1 of 2",
    "* segment 0 of 0",
    "*throughput* 0",
    "* a null*",
    "* an empty *",
    "* no items",
    "* no keys",
    "* no tables",
    "* none",
    "* an unknown comparison",
    "* ListTables: from *",
    "* select X",
    "* a token of 37 letters",
)
KNOWN = (
    # What we refuse
    Known(
        "PartiQL is refused: we could not tell what a statement consumes.",
        BOTH,
        ("*Execute*",),
        "400 ValidationException tweetlab's endpoint runs no PartiQL *",
    ),
    Known(
        "An operation that we do not know is refused: we could not tell what it consumes.",
        BOTH,
        ("http / target: *", "http / method: *", "streams / Bogus: *"),
        "400 UnknownOperationException There is no operation *",
    ),
    Known(
        "Nor is one run that may be charged by rules which we do not know, or a member of such.",
        BOTH,
        ("SearchVectors / *", "StartBulkPutItems / *", "*: VectorIndex*"),
        "400 ValidationException tweetlab's endpoint does not *",
    ),
    Known(
        "AttributeUpdates cannot change a key, as on AWS: moto moves the item.",
        MOTO,
        ("updates / UpdateItem: legacy of the key",),
        "400 ValidationException * Cannot update attribute id. This attribute is part of the key",
        "200 *",
    ),
    # Requests that are none
    Known(
        "A member of another type is refused in AWS' words. moto takes it, and Local takes some, "
        "or fails.",
        BOTH,
        WRONG_TYPE,
        "400 SerializationException *",
    ),
    Known(
        "AWS takes a word for a boolean, and so do we. moto stores the word, and Local fails.",
        BOTH,
        ("*of a wrong type, 'yes'",),
        "200 *",
    ),
    Known(
        "What breaks a constraint of DynamoDB's service model is refused in AWS' words, which name "
        "the member. moto takes it, and Local has words of its own.",
        BOTH,
        CONSTRAINT,
        "400 ValidationException * validation error* detected: Value *",
    ),
    Known(
        "A null for what is optional stands for nothing. Local fails on some, as moto does.",
        LOCAL,
        ("* null", "*nulls for what is optional"),
        "200 *",
        plain="500 InternalFailure *",
    ),
    Known(
        "A null in place of an attribute value is an empty one; Local calls it the item's.",
        LOCAL,
        ("* a null value", "puts / PutItem: a * with null", "puts / PutItem: a null"),
        "400 ValidationException Supplied AttributeValue is empty*",
    ),
    Known(
        "A body that is no JSON object is refused. Local fails, or reads as far as it likes.",
        BOTH,
        ("http / GetItem: a body of *",),
        "400 SerializationException *",
    ),
    Known(
        "A number that is none, or binary that is not in base 64, is refused in our words.",
        BOTH,
        ("puts / PutItem: the number *", "puts / PutItem: *base 64*"),
        "400 ValidationException *",
    ),
    Known(
        "A value of two types, or deeper than 32 levels, is none. moto takes it.",
        MOTO,
        ("* two types", "* levels"),
        "400 ValidationException *",
        plain="200 *",
    ),
    Known(
        "An attribute without a name is none. moto stores it, and can then not read the item; "
        "Local names the member where it stands.",
        BOTH,
        ("*an unnamed attribute*",),
        "400 ValidationException *Empty attribute name*",
    ),
    Known(
        "A number beyond 32 bits is refused.",
        BOTH,
        ("searches / Query: limit 2147483648",),
        "400 ValidationException 2147483648 is beyond *",
    ),
    Known(
        "A part of a batch or a transaction that is of several kinds, or none, is refused in our "
        "words.",
        BOTH,
        ("batches / *: both", "batches / *: neither", "transactions / *: an empty one"),
        "400 ValidationException *",
    ),
    Known(
        "A key that is not one of the table's is refused in AWS' words, in a transaction as its "
        "reason: nobody could be charged. moto finds nothing, or stores it; Local has other words.",
        BOTH,
        (
            *("keys / *", "*: Key empty", "*: Item empty", "*: a bad key"),
            *(
                "control / GetItem: created, a local index",
                "http / *: a body of a duplicate member",
            ),
        ),
        "400 *Exception *",
    ),
    Known(
        "So is a start that is no key.",
        LOCAL,
        ("*: ExclusiveStartKey empty", "searches / *: from half a start"),
        "400 ValidationException The provided starting key is invalid: *",
    ),
    Known(
        "So is a condition that compares a key with another type. moto finds nothing.",
        MOTO,
        ("searches / Query: a value of another type",),
        "400 ValidationException One or more parameter values were invalid: Condition parameter*",
    ),
    Known(
        "So is the key of an index. Local's UpdateItem stores it, and moto's PutItem.",
        BOTH,
        ("*: an index's key of another type",),
        "400 ValidationException One or more parameter values were invalid: Type mismatch*",
    ),
    Known(
        "A table or an index whose calls could not be charged is refused in AWS' words. moto makes "
        "it, and Local some; it has other words for the rest.",
        BOTH,
        (
            *(
                "control / CreateTable: *",
                "control / UpdateTable: *",
                "CreateTable / CreateTable: *",
            ),
            *("UpdateTable / UpdateTable: BillingMode", "UpdateTable / *: GlobalSecondaryIndex*"),
        ),
        "400 ValidationException *",
    ),
    Known(
        "What follows such a request finds no table.",
        BOTH,
        ("control / *: created, *",),
        "400 *Exception *",
    ),
    Known(
        "One item twice in a batch, by the table's name and by its ARN, is refused. moto gives it "
        "twice, and Local takes no ARN there.",
        BOTH,
        ("by arn / BatchGetItem: by ARN and by name",),
        "400 ValidationException Provided list of item keys contains duplicates",
    ),
    Known(
        "ItemCollectionMetrics are given as on AWS: for tables with a local index. moto gives {}, "
        "or nothing, and Local nothing.",
        BOTH,
        ("*: collection metrics", "*: ReturnItemCollectionMetrics"),
        "200 *",
    ),
    # What only moto does
    Known(
        "moto answers a fault of its own with a page of HTML; we with DynamoDB's error, or with "
        "what is wrong in the request, or without the fault, since nulls are dropped.",
        MOTO,
        ("*",),
        "?00 *",
        plain="500  <!doctype html>*",
    ),
    Known(
        "A batch is checked before it is charged: what is left of it when some is throttled might "
        "be one. moto takes more than 25 writes, and two of one item; and has words of its own.",
        MOTO,
        ("batches / Batch*: 26", "batches / Batch*: 101", "batches / BatchWriteItem: twice *"),
        "400 ValidationException *",
    ),
    Known(
        "A transaction runs once under its client token. moto runs it again.",
        MOTO,
        ("transactions / GetItem: how often it ran", "transactions / *the others ran"),
        "200 *",
        plain="200 *",
    ),
    Known(
        "Another transaction under the same client token is refused in AWS' words. moto runs it, "
        "and Local says nothing.",
        BOTH,
        ("transactions / *: others under the token",),
        "400 IdempotentParameterMismatchException *",
    ),
    Known(
        "An index that is not there is refused in AWS' words.",
        MOTO,
        ("searches / Query: no index",),
        "400 ValidationException The table does not have the specified index: none",
    ),
    # What only DynamoDB Local does
    Known(
        "The maximum of an on-demand table, and its warm throughput, are kept by us: they are "
        "nothing to Local.",
        LOCAL,
        ("UpdateTable / *: OnDemandThroughput*", "UpdateTable / *: WarmThroughput*"),
        "200 *",
        plain="400 ValidationException Nothing to update",
    ),
    Known(
        "Half of a surrogate is no text. Local stores it.",
        LOCAL,
        ("puts / PutItem: a lone surrogate",),
        "400 SerializationException *",
    ),
    # HTTP
    Known(
        "A request body may be in gzip or deflate, as AWS takes it; another encoding is refused.",
        BOTH,
        ("http / GetItem: *gzip*", "http / GetItem: an unknown encoding"),
        "?00 *",
    ),
    Known(
        "GET and HEAD say that the endpoint is healthy, as AWS does.",
        BOTH,
        ("http / method: GET*", "http / method: HEAD*"),
        "200 *",
    ),
    Known(
        "A page of another origin is refused: it could throttle the calls of whoever reads it.",
        BOTH,
        ("http / method: OPTIONS of a browser",),
        "403 *",
    ),
)
