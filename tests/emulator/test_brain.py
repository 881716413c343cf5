"""What the emulator answers from what it was told."""

import pytest

from emulator.brain import reply
from emulator.facts import Fact, stated_facts
from emulator.memory import Memory, Turn


def talk(*texts: str, instruction: str = "") -> list[str]:
    """The answers to these texts, said one after the other."""
    memory = Memory(instruction)
    answers = []
    for text in texts:
        memory = memory.plus(Turn("user", text))
        answers.append(reply(memory))
        memory = memory.with_reply((*memory.turns, Turn("model", answers[-1])))
    return answers


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("My code word is PLUM-42.", [("user", "code word", "PLUM-42")]),
        ("my codeword's plum 42", [("user", "code word", "plum 42")]),
        (
            "My name is Alice and my favourite colour is teal.",
            [("user", "name", "Alice"), ("user", "favorite color", "teal")],
        ),
        ("My dog's name is Rex", [("user", "dog's name", "Rex")]),
        ("My lucky number is 7.5, thanks", [("user", "lucky number", "7.5")]),
        ("Call me Bob. I live in Paris.", [("user", "name", "Bob"), ("user", "home", "Paris")]),
        ("The meeting is at five.", [("world", "meeting", "at five")]),
        ("What is my code word?", []),
    ],
)
def test_facts_are_found_in_what_the_user_says(text: str, facts: list[tuple[str, str, str]]) -> None:
    assert [(fact.owner, fact.key, fact.value) for fact in stated_facts(text, "user")] == facts


@pytest.mark.parametrize(
    "text",
    [
        "The user's code word is PLUM-42. Do not greet again.",
        "Summary: the user's code word is PLUM-42; they like tea.",
        "user: my code word is PLUM-42\nmodel: Got it.",
        "- **User**: My code word is PLUM-42.\n- **Assistant**: Noted.",
        "Assistant: Your code word is PLUM-42.",
        'The caller said: "My code word is PLUM-42."',
        "Facts to keep:\n- User's code word: PLUM-42",
    ],
)
def test_facts_are_found_in_context_however_it_is_put(text: str) -> None:
    assert Fact("user", "code word", "PLUM-42") in stated_facts(text, "world")
    assert talk("What is my code word?", instruction=text) == ["Your code word is PLUM-42."]


@pytest.mark.parametrize(
    "question",
    [
        "What is my code word?",
        "what's my code word",
        "Hello, can you tell me what my code word is?",
        "Do you remember my code word?",
        "Which code word did I tell you?",
        "Please say my code word again",
        "Remind me of my codeword!",
    ],
)
def test_a_fact_comes_back_however_it_is_asked_for(question: str) -> None:
    assert talk("My code word is PLUM-42.", question)[1] == "Your code word is PLUM-42."


def test_a_later_fact_replaces_an_earlier_one() -> None:
    assert talk("My name is Bo.", "My name is Al.", "What is my name?")[2] == "Your name is Al."


def test_several_facts_are_told_at_once() -> None:
    answers = talk("My name is Alice and my favorite color is teal.", "What is my name and favorite color?")
    assert answers[1] == "Your name is Alice and your favorite color is teal."


@pytest.mark.parametrize(
    ("said", "question", "answer"),
    [
        (["Hello", "The sky is blue"], "What did I say first?", "First you said: Hello"),
        (["Hello", "Nice weather"], "What did I just say?", "Just before this you said: Nice weather"),
        (["Nice weather", "Fine food"], "What have we talked about?", "So far you told me: Nice weather; Fine food."),
        (["Hello", "Hello"], "How many messages did I send?", "You have said something 2 times before this."),
        (["I saw 12 cats and 3 dogs"], "Which numbers did I mention?", "You mentioned 12, 3."),
        (
            ["Remember that the bus leaves at 9"],
            "What should you remember?",
            "You asked me to remember this: the bus leaves at 9.",
        ),
        ([], "What is my name?", "You have not told me your name yet."),
        ([], "What is 12 * 7?", "That makes 84."),
        ([], "Count to 3", "1, 2, 3."),
        ([], 'Say exactly "one two".', "one two"),
        ([], "Bananas are yellow", "You said: Bananas are yellow"),
    ],
)
def test_it_answers_sensibly(said: list[str], question: str, answer: str) -> None:
    assert talk(*said, question)[-1] == answer


def test_a_long_story_is_about_twenty_seconds_of_speech() -> None:
    words = talk("Tell me a long story")[0].split()
    assert 55 < len(words) < 85


def test_everything_unanswered_is_answered_in_order() -> None:
    memory = Memory(turns=(Turn("user", "My name is Bo."), Turn("user", "What is my name?")))
    assert reply(memory) == "Got it. Your name is Bo. Your name is Bo."


def test_speech_without_words_is_measured() -> None:
    heard = Turn("user", "", "spoken", audio_ms=1720, recognised=False)
    assert reply(Memory(turns=(heard,))) == "I heard you speak for 1.7 seconds but could not make out the words."


def test_long_things_are_not_said_back_in_full() -> None:
    assert len(talk("blah " * 1000)[0].split()) < 110


@pytest.mark.parametrize("said", ["好" * 24_000, "x" * 24_000, "one " * 8_000, f"My name is {'好' * 24_000}"])
def test_what_is_long_without_being_many_words_is_not_said_back_in_full_either(said: str) -> None:
    (answer,) = talk(said)
    assert len(answer) < 500
    assert answer.endswith(" and so on.")


def test_a_blank_nudge_is_answered() -> None:
    assert talk(" ") == ["I am listening."]
