"""What an answer rests on: the files that were read to find it, and what was asked of all files.

Whatever is found once and remembered carries that along, so that whoever gets it from memory rests on the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from .questions import Question

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")

_NOBODY = 1 << 60
"""The depth of no answer."""


class Top(NamedTuple):
    """A top package or module by its name: where it is looked for changes from one analysed file to the next."""

    name: str


class RestsOn(NamedTuple):
    """What an answer rests on: files, also such that are not there; questions to all files, each with the files that
    answered yes; or, where that cannot be told, everything that can be read. Paths are relative to the project."""

    files: tuple[str, ...] = ()
    questions: tuple[tuple[Question, tuple[str, ...]], ...] = ()
    everything: bool = False


class Answer(Generic[Found]):
    """An answer and what it rests on, as a set of bits.

    ``depth`` is how deep it stands among those that are being found, or the one that it leads back to; 0 when it has
    been found for good.
    """

    __slots__ = ("depth", "rests_on", "value")
    value: Found

    def __init__(self) -> None:
        self.rests_on = 0
        self.depth = 0


class Sources:
    """What has been met so far by whatever is being found: ``met`` is a set of bits, one for each file, question and
    top package."""

    def __init__(self) -> None:
        self.met = 0
        self.leads_back_to = _NOBODY
        """The depth of the outermost answer that is still being found and was asked for."""
        self._bits: dict[object, int] = {}
        self._by_number: list[object] = []
        self._answers: dict[Question, Sequence[str]] = {}
        self._depth = 0
        self._unfinished: list[Answer[Any]] = []
        """Answers that rest on one which is still being found."""

    def meet_file(self, path: str) -> None:
        """The file at ``path`` (absolute) is read, or it is seen that there is none."""
        self.met |= self.bit(path)

    def meet_question(self, question: Question, answers: Sequence[str]) -> None:
        """A question is asked of all files; ``answers`` grows while they are looked through."""
        self.met |= self.bit(question)
        self._answers[question] = answers

    def meet_top(self, name: str) -> None:
        """A dotted name is looked for that begins with a top package or module."""
        self.met |= self.bit(Top(name))

    def meet_everything(self) -> None:
        """What is being found rests on more than can be told."""
        self.met |= self.bit(None)

    def bit(self, source: object) -> int:
        """The bit of a file, a question, a top package, or of everything (None)."""
        bit = self._bits.get(source)
        if bit is None:
            bit = self._bits[source] = 1 << len(self._by_number)
            self._by_number.append(source)
        return bit

    def told(self, met: int, root: str) -> RestsOn:
        """The files and questions that a set of bits stands for, in the project at ``root`` (absolute), in an order
        that no run depends on."""
        start = root.rstrip(os.sep) + os.sep
        named = list(self._named(met))
        questions = sorted(source for source in named if isinstance(source, Question))
        files = sorted(source for source in named if isinstance(source, str))
        return RestsOn(
            tuple(path.removeprefix(start) for path in files),
            tuple((each, tuple(path.removeprefix(start) for path in self._answers[each])) for each in questions),
            None in named or not all(path.startswith(start) for path in files),
        )

    def _named(self, met: int) -> Iterator[object]:
        while met:
            lowest = met & -met
            yield self._by_number[lowest.bit_length() - 1]
            met ^= lowest

    @property
    def is_finding(self) -> bool:
        """Whether an answer is being found: what leads back to it is not known for good."""
        return self._depth > 0

    def begin(self, answer: Answer[Any]) -> Around:
        """From here on, what is met is what the answer rests on."""
        around = Around(self.met, self.leads_back_to, len(self._unfinished))
        self.met, self.leads_back_to = 0, _NOBODY
        self._depth = answer.depth = self._depth + 1
        return around

    def end(self, answer: Answer[Any], around: Around) -> None:
        """The answer has been found; what it rests on, that around it rests on too."""
        answer.rests_on = self.met
        back = around.leads_back_to
        if self.leads_back_to < answer.depth:
            self._unfinished.append(answer)
            answer.depth = self.leads_back_to
            back = min(back, self.leads_back_to)
        else:
            answer.depth = 0
            for other in self._unfinished[around.unfinished :]:
                other.rests_on |= answer.rests_on
                other.depth = 0
            del self._unfinished[around.unfinished :]
        self.met, self.leads_back_to = around.met | answer.rests_on, back
        self._depth -= 1


class Around(NamedTuple):
    """What had been met when somebody began to find an answer, and the answers that were unfinished then."""

    met: int
    leads_back_to: int
    unfinished: int


class Answers(Generic[Key, Found]):
    """The answers to one kind of question, each found once.

    Where a question leads back to itself it is answered by ``in_a_circle``; without that, none may.
    """

    def __init__(
        self, sources: Sources, find: Callable[[Key], Found], in_a_circle: Callable[[Key], Found] | None = None
    ) -> None:
        self._sources = sources
        self._find = find
        self._in_a_circle = in_a_circle
        self._known: dict[Key, Answer[Found]] = {}

    def __call__(self, key: Key) -> Found:
        answer = self._known.get(key)
        if answer is None:
            return self._found(key)
        sources = self._sources  # of an answer that has been found, or of one that leads back to itself
        sources.met |= answer.rests_on
        if 0 < answer.depth < sources.leads_back_to:
            sources.leads_back_to = answer.depth
        return answer.value

    def _found(self, key: Key) -> Found:
        answer: Answer[Found] = Answer()
        if self._in_a_circle is not None:
            answer.value = self._in_a_circle(key)
            self._known[key] = answer
        around = self._sources.begin(answer)
        try:
            answer.value = self._find(key)
        finally:
            self._sources.end(answer, around)
        self._known[key] = answer
        return answer.value

    def clear(self) -> None:
        """Forget all answers."""
        self._known.clear()

    def lose(self, sources: int) -> None:
        """Forget the answers that rest on one of the sources, a set of bits."""
        self._known = {key: answer for key, answer in self._known.items() if not answer.rests_on & sources}


class Settled(Generic[Key, Found]):
    """The answers to small questions, each kept where nothing else is being found to which it may lead back."""

    def __init__(self, sources: Sources, find: Callable[[Key], Found]) -> None:
        self._sources = sources
        self._find = find
        self._known: dict[Key, tuple[Found, int]] = {}

    def __call__(self, key: Key) -> Found:
        known, sources = self._known.get(key), self._sources
        if known is not None:
            sources.met |= known[1]
            return known[0]
        if sources.is_finding:
            return self._find(key)
        around, sources.met = sources.met, 0
        try:
            found = self._find(key)
            self._known[key] = found, sources.met
        finally:
            sources.met |= around
        return found

    def clear(self) -> None:
        """Forget all answers."""
        self._known.clear()
