from ssd300.data.formats.annotations import unique_ids


def test_ids_are_names_without_ending_or_paths_where_several_have_the_name():
    assert unique_ids(["a/x.jpg", "b/x.png", "b/y.jpg"]) == ["a/x.jpg", "b/x.png", "y"]
    assert unique_ids([]) == []
