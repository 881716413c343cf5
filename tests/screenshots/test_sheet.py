"""What is decided about the sheet before anything is photographed."""

from collections import Counter

from tests.screenshots.scenes import scenes
from tests.screenshots.sheet import page_of
from tests.screenshots.views import VIEWS


def test_no_two_pictures_have_one_name() -> None:
    for names in ([scene.name for scene in scenes("id")], [view.name for view in VIEWS]):
        assert [name for name, count in Counter(names).items() if count > 1] == []


def test_the_sheet_shows_each_scene_in_each_view() -> None:
    page = page_of(["home", "call & text"], VIEWS)
    assert page.count("<img ") == 2 * len(VIEWS)
    assert 'src="home.phone-dark.png"' in page
    assert "<h2>call &amp; text</h2>" in page
