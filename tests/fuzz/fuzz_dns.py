"""DNS messages and the resolver's files, whatever they are: the first byte says which, the rest is what came. A message
is the answer to a question for ``a.test``, once its id and question are put in.
"""

from __future__ import annotations

import harness

from protocols.dns import _hostsfile, _resolvconf
from protocols.dns._answers import Found, Loop
from protocols.dns._judging import Query, Verdict
from protocols.dns._wire import Malformed, question, read

QUERY = Query(question("a.test", "A", 1232))
ANSWER = b"\0\5\x81\x80" + QUERY.wire(5)[4:6]
QUESTION = QUERY.wire(5)[12:24]


def one(data: bytes) -> None:
    kind, rest = (data[0] % 4 if data else 0), data[1:]
    if kind == 0:
        config = _resolvconf.parse(rest)
        assert 1 <= len(config.servers) <= 3
    elif kind == 1:
        assert all(_hostsfile.parse(rest).values())
    elif kind == 2:
        answered(rest)
    elif len(rest) > 6:
        # Behind a good question: the counts of records, and these.
        answered(ANSWER + rest[:6] + QUESTION + rest[6:])


def answered(message: bytes) -> None:
    verdict = QUERY.judge(5, message)
    if verdict is Verdict.ANSWER:
        try:
            response = read(message)
            found = Found(response, "a.test", "A")
        except (Malformed, Loop):
            return
        # Only addresses, only of the name or what it is an alias of.
        assert {type(record).__name__ for record in found.records} <= {"A"}
        assert all(record.name.lower() == found.name for record in found.records)


if __name__ == "__main__":
    harness.main(one)
