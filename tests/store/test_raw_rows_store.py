"""Rows that stand inside other rows, kept as rows of their own."""

from __future__ import annotations

from sync_core.rules.entities import entity
from sync_core.store.rows import nested_rows

NOTES = entity("credit_notes").xero[0]
PARTS = entity("allocations").xero[0]
HALF = {"Amount": "15.00", "Date": "/Date(1795305600000)/", "Invoice": {"InvoiceID": "i-1"}}


def parts(*elements):
    note = {"CreditNoteID": "n-1", "CurrencyCode": "USD", "Allocations": list(elements)}
    return list(nested_rows(NOTES, PARTS, note))


def test_a_part_carries_what_its_parent_knows():
    (row,) = parts({**HALF, "AllocationID": "a-1"})
    assert (row["AllocationID"], row["CreditNoteID"], row["CurrencyCode"]) == ("a-1", "n-1", "USD")


def test_equal_parts_without_an_id_stay_apart_and_keep_their_ids():
    first, second = (row["AllocationID"] for row in parts(HALF, HALF))
    assert first != second
    assert [row["AllocationID"] for row in parts(HALF)] == [first]
    assert [row["AllocationID"] for row in parts({**HALF, "Amount": "1.00"}, HALF, HALF)][1:] == [first, second]


def test_a_part_without_an_id_stays_itself_when_the_document_inside_it_changes():
    before, after = ({**HALF, "Invoice": {"InvoiceID": "i-1", "AmountDue": due}} for due in ("15.00", "0.00"))
    assert [row["AllocationID"] for row in parts(before)] == [row["AllocationID"] for row in parts(after)]
    other = {**HALF, "Invoice": {"InvoiceID": "i-2", "AmountDue": "15.00"}}
    assert [row["AllocationID"] for row in parts(before)] != [row["AllocationID"] for row in parts(other)]
