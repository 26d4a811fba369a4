"""What a job costs, by numbers that were computed by hand."""

from dataclasses import replace

import pytest

from ssd300.detection.bulk.cost import BESIDE, Assumptions, cost_in_hours, cost_with_machines

MILLION = Assumptions(
    images=1_000_000, images_per_second=10.0, image_bytes=100_000.0, detections_per_image=5.0, row_bytes=50.0,
    detection_bytes=20.0, part_bytes=1_000.0, id_bytes=60.0, plan_image_bytes=400.0, plan_chunk_bytes=200.0,
    plan_image_seconds=1e-5, count_image_bytes=50.0, count_image_seconds=1e-6, count_part_seconds=0.01,
    count_part_reads=4.0, chunk_images=250, cores_per_machine=10, efficiency=0.5,
    network=1e9, memory=1e9, store_requests=1000.0, store_latency=0.01,
    files_per_folder=10_000, chunk_seconds=100.0, price_per_hour=2.0,
)  # fmt: skip
# 10 images/s x 10 processors x 0.5 = 50 images/s of a machine; 1,000,000 / 250 = 4,000 parts.
PLAN = 1_000_000 * 1e-5 + (1000 + 4) * 0.01  # names listed by thousands, 4 files of the plan
COUNT = 1_000_000 * 1e-6 + 4_000 * (0.01 + 4 / 16 * 0.01 + 0.001 * 0.01)  # 16 parts are read at a time


def limits(cost):
    return {one.name: one for one in cost.limits}


def test_hours_of_a_number_of_machines():
    cost = cost_with_machines(MILLION, 2)
    assert cost.machines == 2
    assert cost.images_per_second == 100
    assert (cost.plan_hours, cost.detect_hours, cost.count_hours) == pytest.approx(
        (PLAN / 3600, 10_000 / 3600, COUNT / 3600)
    )
    assert cost.hours == pytest.approx((PLAN + 10_000 + COUNT) / 3600)
    assert cost.price == pytest.approx(2 * cost.hours * 2)


def test_machines_for_a_number_of_hours_are_the_fewest_that_keep_it():
    cost = cost_in_hours(MILLION, 1.0)
    assert cost.machines == 6  # 3,600 s less 71 s for plan and count: 1,000,000 / 3,529 / 50 = 5.7
    assert cost.hours <= 1 < cost_with_machines(MILLION, 5).hours


def test_bytes_files_and_memory():
    cost = cost_with_machines(MILLION, 2)
    assert cost.read_bytes == 1e11
    assert cost.written_bytes == 1_000_000 * (50 + 5 * 20) + 4_000 * 1_000
    assert (cost.rows, cost.parts, cost.files_read, cost.plan_files) == (1_000_000, 4_000, 1_000_000, 4)
    assert cost.plan_bytes == 60_000_000
    assert cost.plan_memory == 1_000_000 * 400 + 4_000 * 200
    assert cost.count_memory == 1_000_000 * 50 + 4_000 * 200
    assert cost.network_of_a_machine == 50 * 100_000 * 8
    assert cost.network_in_all == 2 * cost.network_of_a_machine


def test_limits_and_where_they_are_reached():
    cost = cost_with_machines(MILLION, 2)
    found = limits(cost)
    assert {name: (one.used, one.most) for name, one in found.items()} == {
        "network of a machine": (40_000_000, 1e9),
        "reads of the store": (100, 1000),
        "memory for the plan": (400_800_000, 1e9),
        "memory for the count": (50_800_000, 1e9),
        "part files in one folder": (4_000, 10_000),
        "time of one part": (250 / 5, 100),
        BESIDE: (pytest.approx(PLAN + COUNT), 10_000),
    }
    assert [one.share for one in cost.limits] == sorted((one.share for one in cost.limits), reverse=True)
    assert cost.limits[0].name == "time of one part"
    assert found["part files in one folder"].reached_at == 2_500_000
    assert found["memory for the plan"].reached_at == int(1e9 // 400.8)
    assert found["reads of the store"].reached_at is None  # of so many machines
    assert limits(cost_in_hours(MILLION, 1.0))["reads of the store"].reached_at is not None
    assert set(cost.limits[0].rests_on) <= set(vars(MILLION))


def test_a_slow_network_limits_the_machines():
    slow = replace(MILLION, network=8e6)  # 10 images of 100 kB in a second
    cost = cost_with_machines(slow, 2)
    assert cost.images_per_second == 20
    assert cost.network_of_a_machine == 8e6
    assert cost.limits[0].name == "network of a machine"
    assert cost.limits[0].share == 5


def test_tar_files_are_parts_and_few_requests_and_need_no_names_in_memory():
    packed = replace(MILLION, images_per_file=1000)  # 100 MB: 12 blocks of 8 MiB
    cost = cost_with_machines(packed, 2)
    assert (cost.parts, cost.files_read) == (1000, 1000)
    assert cost.plan_memory == 1000 * 200
    assert limits(cost)["reads of the store"].used == pytest.approx(100 * 12 / 1000)
    assert cost.plan_hours * 3600 == pytest.approx(1000 * 1e-5 + (1 + 1 + 1000) * 0.01)


def test_where_planning_and_counting_take_longer_no_machines_are_enough():
    cost = cost_in_hours(MILLION, 0.015)  # 54 s
    assert cost.machines is None
    assert cost.hours == pytest.approx((PLAN + COUNT) / 3600)
    assert limits(cost)["reads of the store"].used == pytest.approx(1_000_000 / 54)
    assert cost.price == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": 0}, "images is 0; it must be above 0"),
        ({"image_bytes": -1.0}, "image_bytes is -1; it must be above 0"),
        ({"efficiency": 1.5}, "efficiency is 1.5; it must be 1 or less"),
        ({"network": float("inf")}, "network is inf; it must be above 0"),
        ({"store_latency": -1.0}, "store_latency is -1; it must be 0 or more"),
        ({"images_per_second": float("nan")}, "images_per_second is nan; it must be above 0"),
    ],
)
def test_impossible_numbers_are_named(change, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(MILLION, **change)


@pytest.mark.parametrize("ask", [lambda: cost_in_hours(MILLION, 0.0), lambda: cost_with_machines(MILLION, 0)])
def test_no_time_and_no_machines_are_refused(ask):
    with pytest.raises(ValueError, match="is 0; it must be above 0"):
        ask()


def test_nothing_to_wait_for_costs_nothing():
    free = replace(
        MILLION,
        store_latency=0.0,
        plan_image_seconds=0.0,
        count_part_seconds=0.0,
        count_image_seconds=0.0,
        count_image_bytes=0.0,
    )
    cost = cost_with_machines(free, 2)
    assert (cost.plan_hours, cost.count_hours) == (0, 0)
    assert limits(cost)[BESIDE].reached_at is None
