"""What is decided about the sheet before anything is photographed."""

from collections import Counter

import pytest

from tests.screenshots.scenes import scenes
from tests.screenshots.sheet import page_of, picture_name, pieces_of
from tests.screenshots.views import VIEWS


def test_no_two_pictures_have_one_name() -> None:
    for names in ([scene.name for scene in scenes("id")], [view.name for view in VIEWS]):
        assert [name for name, count in Counter(names).items() if count > 1] == []


def test_the_sheet_shows_each_scene_in_each_view_and_long_pages_in_pieces() -> None:
    page = page_of(["home", "call & text"], VIEWS, {("home", "large-letters"): 3})
    assert page.count("<img ") == 2 * len(VIEWS) + 2
    assert 'src="home.phone-dark.png"' in page
    assert 'src="home.large-letters.3.png"' in page
    assert "<h2>call &amp; text</h2>" in page


@pytest.mark.parametrize(
    ("height_px", "pieces"),
    [
        (1, [(0, 1)]),
        (2600, [(0, 2600)]),
        (2601, [(0, 2600), (2600, 1)]),
        (5300, [(0, 2600), (2600, 2600), (5200, 100)]),
    ],
)
def test_a_page_is_shown_from_its_head_to_its_foot(height_px: int, pieces: list[tuple[int, int]]) -> None:
    assert pieces_of(height_px, 2600) == pieces


def test_no_piece_of_a_page_has_the_name_of_another() -> None:
    names = [
        picture_name(scene, view.name, piece) for scene in ("home", "call") for view in VIEWS for piece in range(3)
    ]
    assert len(set(names)) == len(names)
