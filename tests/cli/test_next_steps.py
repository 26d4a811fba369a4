from pathlib import Path

from ssd300.cli.next_steps import command, next_steps


def test_a_command_is_quoted_for_the_shell():
    assert command("train", Path("my photos"), "--steps", 2) == "ssd300 train 'my photos' --steps 2"


def test_commands_stand_in_one_column_after_their_words(capsys):
    next_steps([("ssd300 eval own", "measure it"), ("ssd300 detect a.jpg", "try it")])
    shown = capsys.readouterr()
    assert shown.out == "\nnext:\n  measure it  ssd300 eval own\n  try it      ssd300 detect a.jpg\n"
    assert shown.err == ""


def test_nothing_is_printed_for_no_commands(capsys):
    next_steps([])
    assert capsys.readouterr().out == ""
