from ssd300.metrics.error_kinds import KINDS
from ssd300.reporting.error_words import MEANINGS, WORDS


def test_every_kind_of_error_has_plain_words_of_its_own():
    assert list(WORDS) == list(MEANINGS) == list(KINDS)
    assert len(set(WORDS.values())) == len(set(MEANINGS.values())) == len(KINDS)
    assert not {"both", "background", "duplicate", "location"} & set(WORDS.values())
