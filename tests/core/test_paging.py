"""How far the list of texts or calls is read: as far as its pages cost less than a look at each delivery."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twilio_notifications.core.delivery import PAGE_PRICE, Covered, DeliveryReceipt, ReceiptPage
from twilio_notifications.core.delivery.paging import MARGIN_SECONDS

PAGE = Covered(newest=1000.0, oldest=990.0)
"""Of ten seconds."""


def receipt(created_at: float | None) -> DeliveryReceipt:
    return DeliveryReceipt(sid="SM1", state="sent", created_at=created_at)


def test_a_page_covers_what_its_records_say() -> None:
    page = ReceiptPage(receipts=tuple(map(receipt, (8.0, None, 5.0, 6.0))), next_path=None)
    assert Covered(newest=8.0, oldest=5.0) == Covered.by(page)
    assert Covered.by(ReceiptPage(receipts=(receipt(None),), next_path=None)) is None


def test_a_page_that_is_full_within_a_second_covers_a_second() -> None:
    assert 1.0 == Covered(newest=7.0, oldest=7.0).seconds


@pytest.mark.parametrize(
    ("begun_at", "down_to"),
    [
        ([], None),
        ([985.0], None),
        ([985.0, 984.0], 984.0),
        ([985.0, 984.0, 975.0], 984.0),  # one more on the second page
        ([975.0, 974.0, 973.0], None),
        ([975.0, 974.0, 973.0, 972.0], 972.0),
        ([985.0, *[955.0] * 7], 955.0),
        ([985.0, *[955.0] * 6], None),
        ([985.0, 985.0, *[955.0] * 6], 955.0),
        ([985.0, 985.0, *[955.0] * 5], 985.0),
        ([999.0, 998.0, 993.0], None),  # the page itself should have shown them
    ],
)
def test_further_pages_are_read_where_each_shows_two_on_the_average(
    begun_at: list[float], down_to: float | None
) -> None:
    assert down_to == PAGE.worth_reading_after(begun_at)


@pytest.mark.parametrize(
    ("begun_at", "down_to"),
    [
        ([1005.0], None),
        ([1005.0, 991.0], 991.0),
        ([1005.0, 989.0], None),
        ([1005.0, 1004.0, 985.0, 984.0], 984.0),
        ([985.0, 984.0, 983.0], None),
        ([985.0, 984.0, 983.0, 982.0], 982.0),
    ],
)
def test_the_first_page_has_its_price_too(begun_at: list[float], down_to: float | None) -> None:
    assert down_to == PAGE.worth_reading(begun_at)


@given(st.lists(st.floats(min_value=0.0, max_value=1000.0), max_size=60))
def test_what_is_read_shows_enough_for_its_price(begun_at: list[float]) -> None:
    down_to = PAGE.worth_reading_after(begun_at)
    if down_to is None:
        return
    shown = [at for at in begun_at if down_to <= at < PAGE.oldest + MARGIN_SECONDS]
    pages = (PAGE.oldest - MARGIN_SECONDS - down_to) / PAGE.seconds
    assert len(shown) >= PAGE_PRICE * max(1.0, pages)
