from ssd300.run_layout import METRICS_JSONL, RESULTS_CSV
from ssd300.training.records import COLUMNS, Records

STEP = {"step": 1, "lr": 0.5, "localization": 2.0}
EVALUATION = {"step": 2, "metric": "voc07", "map": None, "per_class": {"a": None}}


def test_a_row_is_in_both_files_and_missing_values_are_empty(tmp_path):
    records = Records(tmp_path)
    records.start()
    records.add(STEP)
    records.add(EVALUATION)
    assert (tmp_path / RESULTS_CSV).read_text().splitlines() == [
        ",".join(COLUMNS),
        "1,,,0.5,2.0,,,,,,",
        "2,,,,,,,,voc07,,",
    ]
    assert len((tmp_path / METRICS_JSONL).read_text().splitlines()) == 2
    assert (records.logged, records.evaluations) == ([STEP], [EVALUATION])


def test_resuming_removes_later_rows_and_half_lines(tmp_path):
    records = Records(tmp_path)
    records.start()
    records.add(STEP)
    records.add(EVALUATION)
    with (tmp_path / METRICS_JSONL).open("a") as file:
        file.write('{"step": 1, "l')
    again = Records(tmp_path)
    again.resume(1)
    assert again.rows == [STEP]
    assert len((tmp_path / METRICS_JSONL).read_text().splitlines()) == 1
    assert len((tmp_path / RESULTS_CSV).read_text().splitlines()) == 2


def test_without_files_a_resumed_run_has_no_rows(tmp_path):
    records = Records(tmp_path)
    records.resume(5)
    assert records.rows == []
